"""Turns a value for a tag into the order to write it."""

from dataclasses import dataclass, replace

from protocols.base import DataType, Register, Value
from protocols.encode import encode_bits, encode_value
from protocols.errors import Unwritable
from protocols.layout import WIDTHS
from protocols.modbus.addresses import is_bits, range_name
from protocols.modbus.connection import ModbusConnection
from protocols.modbus.frames import MOST_WRITTEN_BITS, MOST_WRITTEN_REGISTERS, write_coils_pdu, write_registers_pdu
from protocols.modbus.points import ModbusPoint
from protocols.modbus.question import Question
from protocols.modbus.requests import read_question


@dataclass(frozen=True, slots=True)
class Patch:
    """Part of some registers: the bits of `data` where `mask` has ones. `before` asks what the registers hold."""

    before: Question
    offset: int
    data: bytes
    mask: bytes


@dataclass(frozen=True, slots=True)
class ModbusWrite:
    """One write. With a `patch` the registers are read first, and what the tag has no part in is put back as it was.

    `subject` is for messages: ``holding registers 40001 of unit 1``.
    """

    subject: str
    order: Question
    patch: Patch | None = None

    def onto(self, patch: Patch, held: bytes) -> Question:
        """The order for registers that hold `held`."""
        merged = (old & ~own | new & own for old, new, own in zip(held, patch.data, patch.mask, strict=True))
        return replace(self.order, pdu=write_registers_pdu(patch.offset, bytes(merged)))


def plan_write(connection: ModbusConnection, point: ModbusPoint, value: Value) -> ModbusWrite:
    """The write after which the point reads `value`. Raises `Unwritable`."""
    addresses = range_name(point.area, point.offset, point.size)
    subject = f"{addresses} of unit {connection.unit_id}"
    _check_writable(point, addresses)
    if is_bits(point.area):
        pdu = write_coils_pdu(point.offset, encode_bits(point.reading, value))
        return ModbusWrite(subject, _order(connection, addresses, pdu))
    data, mask = _data(point, value), _mask(point)
    order = _order(connection, addresses, write_registers_pdu(point.offset, data))
    if mask == b"\xff" * len(mask):
        return ModbusWrite(subject, order)
    before = read_question(connection, point.area, point.offset, point.size)
    return ModbusWrite(subject, order, Patch(before, point.offset, data, mask))


def _check_writable(point: ModbusPoint, addresses: str) -> None:
    if point.area not in (Register.COIL, Register.HOLDING):
        message = f"{addresses} can not be written: Modbus writes coils and holding registers only"
        raise Unwritable("not_writable", message)
    most = MOST_WRITTEN_BITS if is_bits(point.area) else MOST_WRITTEN_REGISTERS
    if point.size > most:
        message = f"{addresses} are {point.size}; one request writes {most} at most, and halves are not written"
        raise Unwritable("not_writable", message)


def _order(connection: ModbusConnection, addresses: str, pdu: bytes) -> Question:
    return Question(
        where=connection.where,
        asked=f"the write of {addresses}",
        unit=connection.unit_id,
        pdu=pdu,
        timeout_s=connection.timeout_s,
        byte_count=None,
    )


def _data(point: ModbusPoint, value: Value) -> bytes:
    """The registers with the tag's bytes in their place and zeros around them."""
    if point.bit is None:
        own = encode_value(point.reading, value)
    else:
        (on,) = encode_bits(point.reading, value)
        own = bytes([on << point.bit])
    return (bytes(point.byte) + own).ljust(2 * point.size, b"\0")


def _mask(point: ModbusPoint) -> bytes:
    """Ones where the registers' bits are the tag's own: a neighbour's bit or byte is never written over."""
    data_type, size = point.reading.data_type, point.size
    if point.bit is not None:
        return (bytes(point.byte) + bytes([1 << point.bit])).ljust(2, b"\0")
    if WIDTHS.get(data_type) == 1:
        return b"\0\xff" * size
    mask = bytearray(b"\xff" * (2 * size))
    if data_type is DataType.STRING and (point.reading.count or 0) % 2:
        swapped = len(encode_value(point.reading, "")) % 2 == 0
        mask[-2 if swapped else -1] = 0
    return bytes(mask)
