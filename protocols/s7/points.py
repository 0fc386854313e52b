"""Where a tag lies in an S7 CPU: the address gives the first byte, the data type the size."""

from dataclasses import dataclass, replace

from protocols.base import ByteOrder, DataType, TagSpec
from protocols.errors import Refused
from protocols.layout import Field, Reading
from protocols.s7.addresses import AREA_BYTES, NUMBERED, Area, S7Address, parse_address, range_name
from protocols.scaling import Scaling
from protocols.text import canonical_encoding

MOST_CHARACTERS = {DataType.STRING: 254, DataType.WSTRING: 16_382}
_LETTERS = (ByteOrder.ABCD, ByteOrder.DCBA, ByteOrder.BADC, ByteOrder.CDAB)
_BYTES_SWAPPED = (ByteOrder.BADC, ByteOrder.DCBA)
_SINGLE = (DataType.DATE_AND_TIME, DataType.DTL)
_WHOLE_NUMBERS = (
    DataType.INT16, DataType.UINT16, DataType.INT32, DataType.UINT32, DataType.INT64, DataType.UINT64,
)  # fmt: skip
_ELEMENTS = {
    Area.TIMERS: (DataType.S5TIME, (*_WHOLE_NUMBERS, DataType.TIME, DataType.S5TIME)),
    Area.COUNTERS: (DataType.BCD16, (*_WHOLE_NUMBERS, DataType.BCD16)),
}
"""How the words of timers and counters are written, and as what their values may be had."""


@dataclass(frozen=True, slots=True)
class S7Point:
    """A tag's place: `size` bytes from byte `start` of an area, or as many timers or counters of two bytes each.

    A BOOL may be a `bit` of the first byte, 0 the least.
    """

    area: Area
    db: int
    start: int
    size: int
    reading: Reading
    bit: int | None = None

    @property
    def name(self) -> str:
        """For messages: ``DB1.DBB4-7``."""
        return range_name(self.area, self.db, self.start, self.size)

    def field(self, tag: int, at: int) -> Field:
        """Its place in a block in which its first byte is the one at `at`."""
        return Field(tag, at, self.reading, self.bit)


def place(tag: TagSpec) -> S7Point:
    """Find a tag's place. Raises `Refused` on the tag's field that stands in the way."""
    address = parse_address(tag.address)
    if address.area in NUMBERED:
        point = _element_point(tag, address)
    elif tag.data_type is DataType.BOOL:
        point = _bool_point(tag, address)
    else:
        point = _bytes_point(tag, address)
    if point.start + point.size > AREA_BYTES:
        raise Refused("address", f"the tag takes {point.size} bytes from {tag.address!r} on, past the end of the area")
    return point


def _element_point(tag: TagSpec, address: S7Address) -> S7Point:
    written, allowed = _ELEMENTS[address.area]
    if tag.data_type not in allowed or tag.bit is not None:
        what = "a timer, in ms" if address.area is Area.TIMERS else "a counter"
        raise Refused("data_type", f"{tag.address!r} is {what}; expected {', '.join(allowed)} and no bit")
    count = _count(tag)
    reading = Reading(written, count=count, scaling=Scaling.of(tag.scale, tag.offset))
    return S7Point(address.area, 0, address.start, count or 1, reading)


def _bool_point(tag: TagSpec, address: S7Address) -> S7Point:
    count = _count(tag)
    if address.bit is not None:
        if tag.bit not in (None, address.bit):
            raise Refused("bit", f"bit is {tag.bit}, but the address {tag.address!r} names bit {address.bit}")
        size = -(-(address.bit + (count or 1)) // 8)
        return S7Point(address.area, address.db, address.start, size, Reading(DataType.BOOL, count=count), address.bit)
    if count:
        raise Refused("length", f"an array of BOOL begins at a bit, such as DB1.DBX0.0; found {tag.address!r}")
    if tag.bit is not None:
        return _bit_of_word(tag, address, tag.bit)
    if address.width != 2:
        raise Refused(
            "address", f"{tag.address!r} names no bit; expected one, such as DB1.DBX0.0 or M0.0, or a bit field"
        )
    return S7Point(address.area, address.db, address.start, 2, Reading(DataType.BOOL))


def _bit_of_word(tag: TagSpec, address: S7Address, bit: int) -> S7Point:
    width = address.width or 0
    if bit >= 8 * width:
        raise Refused("bit", f"bit is {bit}, but {tag.address!r} has the bits 0 to {8 * width - 1}; 0 is the least")
    byte = width - 1 - bit // 8
    if width > 1 and _order(tag) in _BYTES_SWAPPED:
        byte ^= 1
    return S7Point(address.area, address.db, address.start + byte, 1, Reading(DataType.BOOL), bit % 8)


def _bytes_point(tag: TagSpec, address: S7Address) -> S7Point:
    if tag.bit is not None or address.bit is not None:
        message = f"{tag.data_type} can not be read from {tag.address!r}, a single bit; expected BOOL"
        raise Refused("data_type", message)
    if address.text is not None and address.text != tag.data_type:
        raise Refused("data_type", f"{tag.data_type} can not be read from {tag.address!r}; expected {address.text}")
    if tag.data_type in MOST_CHARACTERS:
        reading = _text_reading(tag, address)
    else:
        reading = Reading(tag.data_type, _order(tag), _count(tag), scaling=Scaling.of(tag.scale, tag.offset))
    if tag.data_type is DataType.CHAR:
        reading = replace(reading, encoding=canonical_encoding(tag.encoding))
    if tag.data_type in _SINGLE and reading.count:
        raise Refused("length", f"an array of {tag.data_type} is not read as one tag; expected a tag each")
    swapped_text = reading.counted and reading.order in _BYTES_SWAPPED
    size = reading.size + (reading.size % 2 if swapped_text else 0)  # bytes change places within whole words
    return S7Point(address.area, address.db, address.start, size, reading)


def _text_reading(tag: TagSpec, address: S7Address) -> Reading:
    most = MOST_CHARACTERS[tag.data_type]
    length = address.length if tag.length is None else tag.length
    if address.length not in (None, length):
        raise Refused("length", f"length is {length}, but the address {tag.address!r} says {address.length}")
    if length is None or not 1 <= length <= most:
        found = "" if length is None else f"; found {length}"
        raise Refused(
            "length",
            f"a {tag.data_type} needs the number of characters it is declared with, 1 to {most}, as length or in its "
            f"address (DB1.{tag.data_type}10.20 for {tag.data_type}[20] at byte 10){found}",
        )
    return Reading(tag.data_type, _order(tag), length, encoding=canonical_encoding(tag.encoding), counted=True)


def _order(tag: TagSpec) -> ByteOrder:
    """What a document says in words means S7's own order; only letters force one."""
    return tag.byte_order if tag.byte_order in _LETTERS else ByteOrder.ABCD


def _count(tag: TagSpec) -> int | None:
    """The elements of an array; a length of one is a single value."""
    return tag.length if tag.length is not None and tag.length > 1 else None
