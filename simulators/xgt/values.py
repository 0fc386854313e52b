"""Values as bytes, low byte first and low word first, as XGT PLCs keep them."""

import struct
from enum import StrEnum

from simulators.signals import SignalValue


class Kind(StrEnum):
    """What the bytes of a cell mean, by the names that a config document uses."""

    BOOL = "BOOL"
    UINT8 = "UINT8"
    INT16 = "INT16"
    UINT16 = "UINT16"
    INT32 = "INT32"
    UINT32 = "UINT32"
    FLOAT32 = "FLOAT32"
    FLOAT64 = "FLOAT64"
    STRING = "STRING"


_WIDTHS = {
    Kind.BOOL: 2,
    Kind.UINT8: 1,
    Kind.INT16: 2,
    Kind.UINT16: 2,
    Kind.INT32: 4,
    Kind.UINT32: 4,
    Kind.FLOAT32: 4,
    Kind.FLOAT64: 8,
}
_SIGNED = (Kind.INT16, Kind.INT32)
_FLOATS = {Kind.FLOAT32: "<f", Kind.FLOAT64: "<d"}


def byte_count(kind: Kind, length: int) -> int:
    """How many bytes a value takes; `length` is that of a STRING."""
    return length if kind is Kind.STRING else _WIDTHS[kind]


def to_bytes(value: SignalValue, kind: Kind, length: int = 0) -> bytes:
    """The bytes of a value. Integers wrap around as in a PLC; a text is cut at `length` bytes."""
    if kind is Kind.STRING:
        return str(value).encode()[:length].ljust(length, b"\0")
    if kind in _FLOATS:
        return struct.pack(_FLOATS[kind], float(value))
    number = round(value) if isinstance(value, float) else int(value)
    return (number % (1 << 8 * _WIDTHS[kind])).to_bytes(_WIDTHS[kind], "little")


def from_bytes(raw: bytes, kind: Kind) -> SignalValue:
    """The value that `to_bytes` made these bytes of."""
    if kind is Kind.STRING:
        return raw.split(b"\0", 1)[0].decode(errors="replace")
    if kind in _FLOATS:
        return float(struct.unpack(_FLOATS[kind], raw)[0])
    return int.from_bytes(raw, "little", signed=kind in _SIGNED)
