"""Where tags lie in a block of bytes, and how to take their raw values out of it in one go."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from protocols.base import ByteOrder, DataType
from protocols.scaling import IDENTITY, Scaling

Extract: TypeAlias = Callable[[bytes], Sequence[Any]]
View: TypeAlias = Callable[[bytes], bytes]

_FORMATS = {
    DataType.BOOL: "H",
    DataType.INT8: "b",
    DataType.UINT8: "B",
    DataType.INT16: "h",
    DataType.UINT16: "H",
    DataType.INT32: "i",
    DataType.UINT32: "I",
    DataType.INT64: "q",
    DataType.UINT64: "Q",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
    DataType.BCD16: "H",
    DataType.BCD32: "I",
    DataType.TIME: "i",
    DataType.S5TIME: "H",
    DataType.DATE: "H",
    DataType.TIME_OF_DAY: "I",
}
_SLICED_WIDTHS = {DataType.CHAR: 1, DataType.DATE_AND_TIME: 8, DataType.DTL: 12}
WIDTHS = {data_type: struct.calcsize(f"={code}") for data_type, code in _FORMATS.items()} | _SLICED_WIDTHS
"""Bytes of one value of each type; a STRING has as many as it is given, a WSTRING two a character and a header."""

TEXT_HEADERS = {DataType.STRING: 2, DataType.WSTRING: 4}
"""Bytes before the characters of a counted text: how many it may have, then how many it has."""

_SLICED = (DataType.STRING, DataType.WSTRING, DataType.DATE_AND_TIME, DataType.DTL)
_BYTES_SWAPPED = (ByteOrder.BADC, ByteOrder.DCBA)
_WORDS_REVERSED = (ByteOrder.DCBA, ByteOrder.CDAB)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tag's bytes mean, wherever they lie.

    `order` is one of the four letters. `count` is the elements of an array or the bytes of a STRING, None for
    a single value; `stride` is the bytes from one element to the next where that is not the type's own width.
    A BOOL is a word that is not zero, unless its `Field` names a bit. BOOL, texts and dates ignore `scaling`.
    `counted` tells that a STRING begins with S7's header; a WSTRING, whose `count` is in characters, always does.
    """

    data_type: DataType
    order: ByteOrder = ByteOrder.ABCD
    count: int | None = None
    stride: int = 0
    scaling: Scaling = IDENTITY
    encoding: str = "utf-8"
    counted: bool = False

    @property
    def size(self) -> int:
        """Bytes from the first of the first value to the last of the last, a text's header included."""
        count = self.count or 1
        if self.data_type is DataType.WSTRING:
            return TEXT_HEADERS[self.data_type] + 2 * count
        if self.data_type is DataType.STRING:
            return (TEXT_HEADERS[self.data_type] if self.counted else 0) + (self.count or 0)
        width = WIDTHS[self.data_type]
        return width + (count - 1) * (self.stride or width)


@dataclass(frozen=True, slots=True)
class Field:
    """A tag's place in a block: byte `at`, and for a BOOL the `bit` in that byte, 0 the least.

    The bits of an array go from the least of a byte to the most, then on in the next byte.
    """

    tag: int
    at: int
    reading: Reading
    bit: int | None = None


def as_it_came(block: bytes) -> bytes:
    """The block itself."""
    return block


def words_swapped(block: bytes) -> bytes:
    """The block with the bytes of each word swapped, words beginning at even bytes."""
    return _swapped(block, 0)


def odd_words_swapped(block: bytes) -> bytes:
    """The same for words that begin at odd bytes."""
    return _swapped(block, 1)


def view_and_endian(field: Field) -> tuple[View, str]:
    """How a field's bytes are to be seen, and the `struct` sign for the order in which they then are.

    Swapping the bytes of each word and then reading low byte first amounts to reversing the words, so two views
    and two signs make four orders. A byte has no order, and a word only that of its two bytes.
    """
    order, data_type = field.reading.order, field.reading.data_type
    if field.bit is not None or WIDTHS.get(data_type) == 1:
        return as_it_came, ">"
    swap = words_swapped if field.at % 2 == 0 else odd_words_swapped
    bytes_swapped = order in _BYTES_SWAPPED
    if data_type in _SLICED:
        return swap if bytes_swapped else as_it_came, ">"
    if WIDTHS[data_type] == 2:
        return as_it_came, "<" if bytes_swapped else ">"
    low_first = order in _WORDS_REVERSED
    return swap if bytes_swapped != low_first else as_it_came, "<" if low_first else ">"


def layers(fields: Sequence[Field]) -> list[list[Field]]:
    """Fields in order of address, dealt out so that within a layer none overlaps another."""
    dealt: list[list[Field]] = []
    ends: list[int] = []
    for field in fields:
        free = next((i for i, end in enumerate(ends) if end <= field.at), len(dealt))
        if free == len(dealt):
            dealt.append([])
            ends.append(0)
        dealt[free].append(field)
        ends[free] = field.at + field.reading.size
    return dealt


def numbers(fields: Sequence[Field], endian: str) -> Extract:
    """Takes out the raw numbers of fields that do not overlap, elements of arrays one after another."""
    codes, end = [endian], 0
    for field in fields:
        reading = field.reading
        code, width = _FORMATS[reading.data_type], WIDTHS[reading.data_type]
        gap = max(reading.stride - width, 0)
        codes.append(f"{field.at - end}x" + f"{gap}x".join([code] * (reading.count or 1)))
        end = field.at + reading.size
    return struct.Struct("".join(codes)).unpack_from


def bits(fields: Sequence[Field], _endian: str) -> Extract:
    """Takes out bits, those of arrays one after another."""
    numbered = [
        8 * field.at + (field.bit or 0) + element for field in fields for element in range(field.reading.count or 1)
    ]
    spots = [(number // 8, 1 << number % 8) for number in numbered]
    return lambda block: [block[byte] & mask != 0 for byte, mask in spots]


def texts(fields: Sequence[Field], _endian: str) -> Extract:
    """Takes out the bytes of strings, and of dates that are no single number."""
    slices = [slice(field.at, field.at + field.reading.size) for field in fields]
    return lambda block: [block[part] for part in slices]


def _swapped(block: bytes, first: int) -> bytes:
    swapped = bytearray(block)
    end = len(block) - (len(block) - first) % 2
    swapped[first:end:2], swapped[first + 1 : end : 2] = block[first + 1 : end : 2], block[first:end:2]
    return bytes(swapped)
