"""Turns a value for a tag into the order to write it."""

from dataclasses import dataclass, replace

from protocols.base import Register, Value
from protocols.encode import encode_bits
from protocols.errors import Unwritable
from protocols.modbus.addresses import is_bits, range_name
from protocols.modbus.connection import ModbusConnection
from protocols.modbus.frames import MOST_WRITTEN_BITS, MOST_WRITTEN_REGISTERS, write_coils_pdu, write_registers_pdu
from protocols.modbus.points import ModbusPoint
from protocols.modbus.question import Question
from protocols.modbus.requests import read_question
from protocols.words import is_whole, merged, own_bytes, own_mask


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
        return replace(self.order, pdu=write_registers_pdu(patch.offset, merged(held, patch.data, patch.mask)))


def plan_write(connection: ModbusConnection, point: ModbusPoint, value: Value) -> ModbusWrite:
    """The write after which the point reads `value`. Raises `Unwritable`."""
    addresses = range_name(point.area, point.offset, point.size)
    subject = f"{addresses} of unit {connection.unit_id}"
    _check_writable(point, addresses)
    if is_bits(point.area):
        pdu = write_coils_pdu(point.offset, encode_bits(point.reading, value))
        return ModbusWrite(subject, _order(connection, addresses, pdu))
    data, mask = own_bytes(point, value), own_mask(point)
    order = _order(connection, addresses, write_registers_pdu(point.offset, data))
    if is_whole(mask):
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
