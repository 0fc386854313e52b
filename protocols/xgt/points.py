"""Where a tag lies in an XGT PLC."""

from dataclasses import dataclass

from protocols.base import ByteOrder, DataType, TagSpec
from protocols.errors import Refused
from protocols.layout import WIDTHS, Field, Reading
from protocols.scaling import Scaling
from protocols.text import canonical_encoding
from protocols.xgt.addresses import XgtAddress, parse_address
from protocols.xgt.connection import XgtConnection

# Letters speak of words as XG5000 shows them, whose bytes lie in a block low byte first: each order is seen there with
# the bytes of its words swapped. The names in words are the PLC's own order, in which numbers begin at their low word.
_IN_BLOCK = {
    ByteOrder.ABCD: ByteOrder.BADC,
    ByteOrder.BADC: ByteOrder.ABCD,
    ByteOrder.CDAB: ByteOrder.DCBA,
    ByteOrder.DCBA: ByteOrder.CDAB,
}
_OWN_ORDER, _OWN_TEXT_ORDER = ByteOrder.DCBA, ByteOrder.ABCD
_SWAPPED = (ByteOrder.BADC, ByteOrder.DCBA)


@dataclass(frozen=True, slots=True)
class XgtPoint:
    """A tag's place: `size` bytes of a device from `byte` on, and for a BOOL maybe a `bit` of the first of them.

    With `contact` it is the contact of the timer or counter with the number `byte`.
    """

    device: str
    byte: int
    size: int
    reading: Reading
    bit: int | None = None
    contact: bool = False

    @property
    def first_word(self) -> int:
        """The word that it begins in."""
        return self.byte // 2

    @property
    def words(self) -> int:
        """How many words it touches."""
        return (self.byte + self.size + 1) // 2 - self.byte // 2

    def field(self, tag: int, start: int) -> Field:
        """Its place in a block that begins at byte `start` of its device."""
        return Field(tag, self.byte - start, self.reading, self.bit)


def place(tag: TagSpec, connection: XgtConnection) -> XgtPoint:
    """Find a tag's place. Raises `Refused` on the tag's field that stands in the way."""
    if tag.register is not None:
        raise Refused("register", f"register {tag.register} is Modbus's; expected an address like D100 without it")
    is_bool = tag.data_type is DataType.BOOL
    address = parse_address(tag.address, connection.family, as_bit=is_bool and tag.bit is None)
    bit = _bit(tag, address)
    point = _bool_point(tag, address, bit) if is_bool else _value_point(tag, address)
    if point.size < 1:
        raise Refused("length", "a STRING needs its length in bytes; expected 1 or more")
    if 2 * point.words > connection.sure_bytes:
        field = "length" if tag.length else "data_type"
        raise Refused(field, f"the tag takes {point.size} bytes; one request reads {connection.sure_bytes} at most")
    return point


def _value_point(tag: TagSpec, address: XgtAddress) -> XgtPoint:
    data_type, count = tag.data_type, _count(tag)
    if data_type is DataType.STRING:
        order = _IN_BLOCK.get(tag.byte_order, _OWN_TEXT_ORDER)
        reading = Reading(data_type, order, tag.length, encoding=canonical_encoding(tag.encoding))
        length = tag.length or 0
        return XgtPoint(address.device, address.byte, length + length % 2 * (order in _SWAPPED), reading)
    order, scaling, width = (
        _IN_BLOCK.get(tag.byte_order, _OWN_ORDER),
        Scaling.of(tag.scale, tag.offset),
        WIDTHS[data_type],
    )
    if width == 1 and address.width > 1:
        # As everywhere: a byte at a word is its low one, an array of them goes from word to word.
        reading = Reading(data_type, order, count, stride=2 if count else 0, scaling=scaling)
        return XgtPoint(address.device, address.byte, 2 * (count or 1) - 1, reading)
    return XgtPoint(
        address.device, address.byte, width * (count or 1), Reading(data_type, order, count, scaling=scaling)
    )


def _bool_point(tag: TagSpec, address: XgtAddress, bit: int | None) -> XgtPoint:
    count, swapped = _count(tag), tag.byte_order in _SWAPPED
    if address.is_contact:
        if count:
            raise Refused("length", "contacts are read one by one; expected one tag a contact")
        return XgtPoint(address.device, address.byte, 1, Reading(DataType.BOOL), 0, contact=True)
    if bit is None:
        if address.width != 2 or count:
            raise Refused("address", f"{tag.address!r} does not say which bit; expected D100.5, M0172C or %MX2764")
        return XgtPoint(address.device, address.byte, 2, Reading(DataType.BOOL, _OWN_ORDER))
    if count and swapped:
        raise Refused("byte_order", f"an array of bits has no order of bytes; expected none, found {tag.byte_order}")
    byte = address.byte + ((bit // 8) ^ (swapped and address.width == 2))
    return XgtPoint(
        address.device, byte, (bit % 8 + (count or 1) + 7) // 8, Reading(DataType.BOOL, count=count), bit % 8
    )


def _bit(tag: TagSpec, address: XgtAddress) -> int | None:
    bit = address.bit if tag.bit is None else tag.bit
    if tag.data_type is not DataType.BOOL and (bit is not None or address.is_contact):
        raise Refused("data_type", f"{tag.data_type} can not be read from {tag.address!r}, a single bit; expected BOOL")
    if bit is None:
        return None
    if address.bit not in (None, bit):
        raise Refused("bit", f"bit is {tag.bit}, but the address {tag.address!r} names bit {address.bit}")
    if address.is_contact:
        raise Refused("bit", f"bit is {bit}, but {tag.address!r} is a single bit already")
    most = 8 * min(address.width, 2) - 1
    if address.width > 2 or not 0 <= bit <= most:
        raise Refused("bit", f"bit is {bit} of {tag.address!r}; expected one of a word (0 to 15) or of a byte (0 to 7)")
    return bit


def _count(tag: TagSpec) -> int | None:
    """The elements of an array; a length of one is a single value."""
    return tag.length if tag.length is not None and tag.length > 1 else None
