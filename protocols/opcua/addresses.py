"""Node ids as people write them: ``ns=2;s=Line1.Temperature``, ``i=2258``, ``nsu=http://plant/line;i=7``."""

import base64
import binascii
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from protocols.errors import Refused

Identifier: TypeAlias = int | str | uuid.UUID | bytes

_LARGEST_NAMESPACE = 0xFFFF
_LARGEST_NUMBER = 0xFFFF_FFFF
_LONGEST = 4096  # characters or bytes of an identifier: OPC 10000-3, 8.2.4
_NODE = re.compile(
    r"(?:ns=(?P<index>\d+);|nsu=(?P<uri>[^;]+);)?(?P<kind>[isgb])=(?P<identifier>.+)", re.ASCII | re.DOTALL
)
_EXPECTED = "ns=2;s=Line1.Temperature, ns=3;i=1001, ns=2;g=<GUID>, ns=2;b=<base64> or nsu=<URI>;s=…"


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """A node id. `namespace` is the server's index, or the URI whose index the server has to tell."""

    namespace: int | str
    identifier: Identifier

    def __str__(self) -> str:
        """As an address of a tag."""
        return f"{self._namespace()}{_written(self.identifier)}"

    def _namespace(self) -> str:
        if isinstance(self.namespace, str):
            return f"nsu={self.namespace.replace('%', '%25').replace(';', '%3B')};"
        return f"ns={self.namespace};" if self.namespace else ""


def parse_address(text: str) -> NodeAddress:
    """The node that an address names; without a namespace it is in 0, the standard's own.

    Raises `Refused` on ``address``.
    """
    found = _NODE.fullmatch(text.strip())
    if found is None:
        raise Refused("address", f"{text!r} is no OPC-UA node id; expected {_EXPECTED}")
    return NodeAddress(_namespace(found, text), _identifier(found["kind"], found["identifier"], text))


def _namespace(found: re.Match[str], text: str) -> int | str:
    if found["uri"] is not None:
        return found["uri"].replace("%3B", ";").replace("%3b", ";").replace("%25", "%")
    index = int(found["index"] or 0)
    if index > _LARGEST_NAMESPACE:
        raise Refused("address", f"{text!r} names namespace {index}; expected 0 to {_LARGEST_NAMESPACE}")
    return index


def _identifier(kind: str, written: str, text: str) -> Identifier:
    try:
        return _READERS[kind](written)
    except (ValueError, binascii.Error):
        raise Refused("address", f"{text!r}: {written!r} is not {_MEANINGS[kind]}") from None


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit()) or int(written) > _LARGEST_NUMBER:
        raise ValueError(written)
    return int(written)


def _name(written: str) -> str:
    if len(written) > _LONGEST:
        raise ValueError(written)
    return written


def _opaque(written: str) -> bytes:
    return base64.b64decode(written, validate=True)


_READERS: dict[str, Callable[[str], Identifier]] = {"i": _number, "s": _name, "g": uuid.UUID, "b": _opaque}
_MEANINGS = {
    "i": f"a whole number from 0 to {_LARGEST_NUMBER}",
    "s": f"a name of at most {_LONGEST} characters",
    "g": "a GUID like 09087e75-8e5e-499b-954f-f2a9603db28a",
    "b": "base64",
}


def _written(identifier: Identifier) -> str:
    match identifier:
        case int():
            return f"i={identifier}"
        case str():
            return f"s={identifier}"
        case bytes():
            return f"b={base64.b64encode(identifier).decode('ascii')}"
        case uuid.UUID():
            return f"g={identifier}"
