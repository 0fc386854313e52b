"""Where an XGT PLC is, of which family it is, and how much it may be asked for at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.connection_fields import ConnectionFields, quoted
from protocols.datatypes import bare_name
from protocols.errors import Refused
from protocols.xgt.families import FAMILIES, MOST_BYTES, Family

DEFAULT_PORT = 2004

_BY_BARE_NAME = {bare_name(family.name): family for family in FAMILIES.values()}


@dataclass(frozen=True, slots=True)
class XgtConnection:
    """A checked `connection`. Blocks have `most_bytes` at most, and `sure_bytes` until the PLC has granted more."""

    host: str
    port: int
    family: Family
    most_bytes: int
    sure_bytes: int
    timeout_s: float

    @property
    def link(self) -> tuple[str | int, ...]:
        """PLCs grant few connections, so devices that name the same one share it."""
        return ("xgt", self.host, self.port)

    @property
    def where(self) -> str:
        """For messages: ``192.168.1.10:2004``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def read_connection(fields: Mapping[str, object], timeout_s: float) -> XgtConnection:
    """Check a document's `connection`. Raises `Refused` on the field that can not be used."""
    read = ConnectionFields(fields)
    family = _family(fields)
    asked = read.whole(("max_bytes",), default=0, least=16, most=MOST_BYTES)
    return XgtConnection(
        host=read.host(),
        port=read.whole(("port",), default=DEFAULT_PORT, least=1, most=65_535),
        family=family,
        most_bytes=asked or family.most_bytes,
        sure_bytes=asked or family.sure_bytes,
        timeout_s=timeout_s,
    )


def _family(fields: Mapping[str, object]) -> Family:
    for name in ("family", "cpu"):
        given = fields.get(name)
        if given is None or not str(given).strip():
            continue
        family = _BY_BARE_NAME.get(bare_name(str(given).strip()))
        if family is None:
            raise Refused(name, f"connection.{name} is {quoted(given)}; expected one of {', '.join(FAMILIES)}")
        return family
    return FAMILIES["auto"]
