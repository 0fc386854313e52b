"""Where a tag lies in a Modbus device."""

from dataclasses import dataclass

from protocols.base import DataType, Register, TagSpec
from protocols.datatypes import refuse_s7_types
from protocols.errors import Refused
from protocols.layout import Field, Reading
from protocols.modbus.addresses import ADDRESSES, ModbusAddress, is_bits, parse_address
from protocols.modbus.connection import ModbusConnection
from protocols.words import element_count, field_at, in_words


@dataclass(frozen=True, slots=True)
class ModbusPoint:
    """A tag's place: `size` registers or bits from the zero-based `offset`.

    Within registers its bytes begin at `byte`, and a BOOL may be a `bit` of that byte.
    """

    area: Register
    offset: int
    size: int
    reading: Reading
    byte: int = 0
    bit: int | None = None

    def field(self, tag: int, block_start: int) -> Field:
        """Its place in the answer to a read that begins at `block_start`."""
        distance = self.offset - block_start
        if is_bits(self.area):
            return Field(tag, distance // 8, self.reading, distance % 8)
        return field_at(self, tag, distance)


def place(tag: TagSpec, connection: ModbusConnection) -> ModbusPoint:
    """Find a tag's place. Raises `Refused` on the tag's field that stands in the way."""
    refuse_s7_types(tag.data_type, "Modbus")
    address = parse_address(tag.address, tag.register)
    bit = _bit(tag, address)
    point = _bits_point(tag, address) if is_bits(address.area) else _register_point(tag, address, bit)
    _check_size(tag, point, connection)
    return point


def _bits_point(tag: TagSpec, address: ModbusAddress) -> ModbusPoint:
    if tag.data_type is not DataType.BOOL:
        raise Refused("data_type", f"{tag.data_type} can not be read from {tag.address!r}, a single bit; expected BOOL")
    count = element_count(tag)
    return ModbusPoint(address.area, address.offset, count or 1, Reading(DataType.BOOL, count=count))


def _register_point(tag: TagSpec, address: ModbusAddress, bit: int | None) -> ModbusPoint:
    if tag.data_type is DataType.BOOL and element_count(tag):
        raise Refused(
            "length",
            f"an array of {tag.length} BOOL can not be read from registers; "
            "expected coils or discrete inputs, or one tag a bit (40001.0, 40001.1, …)",
        )
    words = in_words(tag, bit)
    return ModbusPoint(address.area, address.offset, words.size, words.reading, words.byte, words.bit)


def _bit(tag: TagSpec, address: ModbusAddress) -> int | None:
    bit = address.bit if tag.bit is None else tag.bit
    if bit is None:
        return None
    if address.bit not in (None, bit):
        raise Refused("bit", f"bit is {tag.bit}, but the address {tag.address!r} names bit {address.bit}")
    if is_bits(address.area):
        raise Refused("bit", f"bit is {bit}, but {tag.address!r} is a single bit already")
    if not 0 <= bit <= 15:
        raise Refused("bit", f"bit is {bit}; a register has the bits 0 to 15")
    if tag.data_type is not DataType.BOOL:
        raise Refused("data_type", f"{tag.data_type} can not be read from one bit of {tag.address!r}; expected BOOL")
    return bit


def _check_size(tag: TagSpec, point: ModbusPoint, connection: ModbusConnection) -> None:
    bits = is_bits(point.area)
    most, unit = (connection.max_bits, "bits") if bits else (connection.max_registers, "registers")
    if point.size > most:
        field = "length" if tag.length else "data_type"
        raise Refused(field, f"the tag takes {point.size} {unit}; one request reads {most} at most")
    if point.offset + point.size > ADDRESSES:
        message = f"the tag takes {point.size} {unit} from {tag.address!r} on, past the last of the table"
        raise Refused("address", message)
