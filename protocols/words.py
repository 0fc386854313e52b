"""Where a tag lies in a memory of 16-bit words, high byte first, and which of their bits are its own."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from protocols.base import ByteOrder, DataType, TagSpec, Value
from protocols.datatypes import big_endian_letters
from protocols.encode import encode_bits, encode_value
from protocols.errors import Refused
from protocols.layout import WIDTHS, Field, Reading
from protocols.scaling import Scaling
from protocols.text import canonical_encoding


class InWords(Protocol):
    """`size` words. The tag's bytes begin at `byte` of the first one, and a BOOL may be a `bit` of that byte."""

    @property
    def size(self) -> int: ...

    @property
    def reading(self) -> Reading: ...

    @property
    def byte(self) -> int: ...

    @property
    def bit(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Words:
    """See `InWords`."""

    size: int
    reading: Reading
    byte: int = 0
    bit: int | None = None


def in_words(tag: TagSpec, bit: int | None) -> Words:
    """How a tag lies in its words, with the `bit` of the first that it names. Raises `Refused` on ``length``.

    A byte is the low one of its word. A BOOL without a bit is whether the word is not zero.
    """
    order, data_type = big_endian_letters(tag.byte_order), tag.data_type
    if data_type is DataType.BOOL:
        return _truth(tag, bit, order)
    if data_type is DataType.STRING:
        reading = Reading(data_type, order, tag.length, encoding=canonical_encoding(tag.encoding))
        return Words(_at_least_one(-(-(tag.length or 0) // 2)), reading)
    return _numbers(data_type, order, element_count(tag), Scaling.of(tag.scale, tag.offset))


@lru_cache(maxsize=1024)  # thousands of tags are alike but for their address, and so they share one reading
def _numbers(data_type: DataType, order: ByteOrder, count: int | None, scaling: Scaling) -> Words:
    if WIDTHS[data_type] == 1:
        return Words(count or 1, Reading(data_type, order, count, stride=2, scaling=scaling), byte=1)
    return Words(WIDTHS[data_type] // 2 * (count or 1), Reading(data_type, order, count, scaling=scaling))


def field_at(place: InWords, tag: int, distance: int) -> Field:
    """The tag's field in a block that begins `distance` words before it."""
    return Field(tag, 2 * distance + place.byte, place.reading, place.bit)


def element_count(tag: TagSpec) -> int | None:
    """The elements of an array; a length of one is a single value."""
    return tag.length if tag.length is not None and tag.length > 1 else None


def own_bytes(place: InWords, value: Value) -> bytes:
    """The words with the tag's bytes in their place and zeros around them. Raises `Unwritable`."""
    if place.bit is None:
        own = encode_value(place.reading, value)
    else:
        (on,) = encode_bits(place.reading, value)
        own = bytes([on << place.bit])
    return (bytes(place.byte) + own).ljust(2 * place.size, b"\0")


def own_mask(place: InWords) -> bytes:
    """Ones where the words' bits are the tag's own: a neighbour's bit or byte is never written over."""
    data_type, size = place.reading.data_type, place.size
    if place.bit is not None:
        return (bytes(place.byte) + bytes([1 << place.bit])).ljust(2, b"\0")
    if WIDTHS.get(data_type) == 1:
        return b"\0\xff" * size
    mask = bytearray(b"\xff" * (2 * size))
    if data_type is DataType.STRING and (place.reading.count or 0) % 2:
        swapped = len(encode_value(place.reading, "")) % 2 == 0
        mask[-2 if swapped else -1] = 0
    return bytes(mask)


def is_whole(mask: bytes) -> bool:
    """Whether all bits are the tag's own, so that its words need not be read before they are written."""
    return mask == b"\xff" * len(mask)


def merged(held: bytes, own: bytes, mask: bytes) -> bytes:
    """Words that hold `held`, with the tag's own bits in them."""
    return bytes(old & ~ours | new & ours for old, new, ours in zip(held, own, mask, strict=True))


def _truth(tag: TagSpec, bit: int | None, order: ByteOrder) -> Words:
    if element_count(tag):
        raise Refused("length", f"an array of {tag.length} BOOL can not be read from words; expected one tag a bit")
    if bit is None:
        return Words(1, Reading(DataType.BOOL))
    bytes_swapped = order in (ByteOrder.BADC, ByteOrder.DCBA)
    return Words(1, Reading(DataType.BOOL), int((bit < 8) != bytes_swapped), bit % 8)


def _at_least_one(words: int) -> int:
    if words < 1:
        raise Refused("length", "a STRING needs its length in bytes; expected 1 or more")
    return words
