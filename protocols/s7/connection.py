"""Where an S7 CPU is, and how much it may be asked for at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from protocols.connection_fields import ConnectionFields

DEFAULT_PORT = 102
DEFAULT_PDU = 480
LEAST_PDU, MOST_PDU = 112, 960


@dataclass(frozen=True, slots=True)
class S7Connection:
    """A checked `connection`. `pdu` is the greatest message in bytes: what is asked for, and later what was granted."""

    host: str
    port: int
    rack: int
    slot: int
    pdu: int
    timeout_s: float

    @property
    def link(self) -> tuple[str | int, ...]:
        """One CPU behind one address."""
        return ("s7", self.host, self.port, self.rack, self.slot)

    @property
    def at(self) -> str:
        """Host and port, for messages about the wire."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def where(self) -> str:
        """For messages about the CPU: ``192.168.1.10:102 rack 0 slot 1``."""
        return f"{self.at} rack {self.rack} slot {self.slot}"


def read_connection(fields: Mapping[str, object], timeout_s: float) -> S7Connection:
    """Check a document's `connection`. Raises `Refused` on the field that can not be used."""
    read = ConnectionFields(fields)
    return S7Connection(
        host=read.host(),
        port=read.whole(("port",), default=DEFAULT_PORT, least=1, most=65_535),
        rack=read.whole(("rack",), default=0, least=0, most=7),
        slot=read.whole(("slot",), default=1, least=0, most=31),
        pdu=read.whole(("pdu",), default=DEFAULT_PDU, least=LEAST_PDU, most=MOST_PDU),
        timeout_s=timeout_s,
    )
