"""Values as 16-bit words, in each of the four orders that PLCs have; written apart from the collector's."""

import struct
from enum import StrEnum

from simulators.signals import SignalValue


class Kind(StrEnum):
    """What the words of a cell mean, by the names that a config document uses."""

    BOOL = "BOOL"
    INT16 = "INT16"
    UINT16 = "UINT16"
    INT32 = "INT32"
    UINT32 = "UINT32"
    INT64 = "INT64"
    UINT64 = "UINT64"
    FLOAT32 = "FLOAT32"
    FLOAT64 = "FLOAT64"
    STRING = "STRING"


class Order(StrEnum):
    """ABCD: high word, high byte first. CDAB: words reversed. BADC: bytes swapped in each word. DCBA: both."""

    ABCD = "ABCD"
    DCBA = "DCBA"
    BADC = "BADC"
    CDAB = "CDAB"


_INTEGER_BITS = {
    Kind.INT16: 16,
    Kind.UINT16: 16,
    Kind.INT32: 32,
    Kind.UINT32: 32,
    Kind.INT64: 64,
    Kind.UINT64: 64,
}
_SIGNED = {Kind.INT16, Kind.INT32, Kind.INT64}
_FLOAT_FORMATS = {Kind.FLOAT32: ">f", Kind.FLOAT64: ">d"}
_WORDS_REVERSED = {Order.CDAB, Order.DCBA}
_BYTES_SWAPPED = {Order.BADC, Order.DCBA}


def word_count(kind: Kind, length: int) -> int:
    """How many registers a value takes; `length` is the bytes of a STRING."""
    if kind is Kind.STRING:
        return (length + 1) // 2
    if kind is Kind.BOOL:
        return 1
    if kind in _FLOAT_FORMATS:
        return struct.calcsize(_FLOAT_FORMATS[kind]) // 2
    return _INTEGER_BITS[kind] // 16


def to_words(
    value: SignalValue, kind: Kind, order: Order = Order.ABCD, length: int = 0, encoding: str = "utf-8"
) -> tuple[int, ...]:
    """The registers of a value. Integers wrap around as in a PLC; a text is cut at `length` bytes."""
    if kind is Kind.STRING:
        size = 2 * word_count(kind, length)
        raw = str(value).encode(encoding)[:length].ljust(size, b"\0")
    elif kind in _FLOAT_FORMATS:
        raw = struct.pack(_FLOAT_FORMATS[kind], float(value))
    else:
        bits = _INTEGER_BITS.get(kind, 16)
        number = round(value) if isinstance(value, float) else int(value)
        raw = (number % (1 << bits)).to_bytes(bits // 8, "big")
    return _ordered(_split(raw), kind, order)


def from_words(words: tuple[int, ...], kind: Kind, order: Order = Order.ABCD, encoding: str = "utf-8") -> SignalValue:
    """The value that `to_words` made these registers of."""
    raw = b"".join(word.to_bytes(2, "big") for word in _ordered(words, kind, order))
    if kind is Kind.STRING:
        return raw.split(b"\0", 1)[0].decode(encoding, errors="replace")
    if kind in _FLOAT_FORMATS:
        return float(struct.unpack(_FLOAT_FORMATS[kind], raw)[0])
    number = int.from_bytes(raw, "big", signed=kind in _SIGNED)
    return bool(number) if kind is Kind.BOOL else number


def _split(raw: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(raw[place : place + 2], "big") for place in range(0, len(raw), 2))


def _ordered(words: tuple[int, ...], kind: Kind, order: Order) -> tuple[int, ...]:
    """Its own inverse: applied once to store, once to load. The words of a text are never reversed."""
    if order in _WORDS_REVERSED and kind is not Kind.STRING:
        words = words[::-1]
    if order in _BYTES_SWAPPED:
        words = tuple((word & 0xFF) << 8 | word >> 8 for word in words)
    return words
