"""Turns a value into what is written so that a tag reads it."""

from dataclasses import dataclass

from protocols.base import DataType, Value
from protocols.encode import encode_value
from protocols.errors import Unwritable
from protocols.xgt.addresses import block_name, range_name, word_name
from protocols.xgt.connection import XgtConnection
from protocols.xgt.frames import Kind, Question, read_items, write_block, write_item
from protocols.xgt.points import XgtPoint


@dataclass(frozen=True, slots=True)
class BitOfWord:
    """A bit that can not be written alone: the word `name` is read with `read`, changed, and written back."""

    name: str
    read: Question
    mask: int
    on: bool

    def changed(self, word: bytes) -> Question:
        """The order that leaves all other bits as they were read."""
        number = int.from_bytes(word, "little")
        number = number | self.mask if self.on else number & ~self.mask
        return write_item(Kind.WORD, self.name, number.to_bytes(2, "little"))


@dataclass(frozen=True, slots=True)
class XgtWrite:
    """One write: bytes that replace what is there, or one bit of a word."""

    where: str
    asked: str
    cpu: int
    order: Question | BitOfWord
    timeout_s: float

    @property
    def subject(self) -> str:
        """For messages: ``%DW100``."""
        return self.asked


def plan_write(connection: XgtConnection, point: XgtPoint, value: Value) -> XgtWrite:
    """What is to be written so that `point` reads `value`. Raises `Unwritable`."""
    if point.contact:
        raise Unwritable("not_writable", "the contact of a timer or counter is the PLC's own to set")
    if point.device == "F":
        raise Unwritable("not_writable", "device F holds the PLC's own flags, which can only be read")
    if point.reading.stride and point.reading.count:
        raise Unwritable("not_writable", "an array of the low bytes of words can not be written at once")
    return XgtWrite(
        where=connection.where,
        asked=range_name(point.device, point.first_word, point.words),
        cpu=connection.family.cpu,
        order=_bit_order(point, value) if point.bit is not None else _bytes_order(point, value),
        timeout_s=connection.timeout_s,
    )


def _bit_order(point: XgtPoint, value: Value) -> BitOfWord:
    if point.reading.count:
        raise Unwritable("not_writable", "bits can only be written one by one")
    if value not in (0, 1):
        raise Unwritable("wrong_type", f"{value!r} is no BOOL; expected true or false")
    name = word_name(point.device, point.first_word)
    bit = point.byte % 2 * 8 + (point.bit or 0)
    return BitOfWord(name, read_items(Kind.WORD, [name]), 1 << bit, bool(value))


def _bytes_order(point: XgtPoint, value: Value) -> Question:
    data = encode_value(point.reading, value)
    if point.reading.data_type is DataType.STRING:
        data = data[: point.size].ljust(point.size, b"\0")
    if len(data) == 2 and point.byte % 2 == 0:
        return write_item(Kind.WORD, word_name(point.device, point.first_word), data)
    if len(data) == 1:
        return write_item(Kind.BYTE, block_name(point.device, point.byte), data)
    return write_block(block_name(point.device, point.byte), data)
