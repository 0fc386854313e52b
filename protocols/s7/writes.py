"""Values into what an S7 CPU is to be sent."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from protocols.base import S7_TYPES, ByteOrder, DataType, Value
from protocols.dates import date_and_time_bytes, date_days, dtl_bytes, s5time_word, time_of_day_ms
from protocols.encode import encode_value
from protocols.errors import Unwritable
from protocols.layout import TEXT_HEADERS, Reading
from protocols.s7.addresses import NUMBERED, Area
from protocols.s7.connection import S7Connection
from protocols.s7.frames import Item
from protocols.s7.points import S7Point

_BIT, _BYTE = 0x01, 0x02

_DATES: dict[DataType, Callable[[str], bytes]] = {
    DataType.DATE: lambda text: date_days(text).to_bytes(2, "big"),
    DataType.TIME_OF_DAY: lambda text: time_of_day_ms(text).to_bytes(4, "big"),
    DataType.DATE_AND_TIME: date_and_time_bytes,
    DataType.DTL: dtl_bytes,
}


@dataclass(frozen=True, slots=True)
class S7Write:
    """One write of one item. `start` counts bits for a bit, else bytes, timers or counters; `element` is their code."""

    item: Item
    start: int
    element: int
    data: bytes
    timeout_s: float

    @property
    def subject(self) -> str:
        """For messages: ``DB1.DBB4-7``, ``bit 3 of DB1.DBB4``."""
        return f"bit {self.start % 8} of {self.item.name}" if self.element == _BIT else self.item.name


def encode_write(connection: S7Connection, point: S7Point, value: Value) -> S7Write:
    """What makes the tag read `value`. Raises `Unwritable`. A single bit is written alone, its neighbours untouched."""
    if point.area is Area.INPUTS:
        raise Unwritable("not_writable", f"{point.name} are inputs, which the CPU sets from its modules itself")
    if point.reading.data_type is DataType.BOOL:
        return _bit_write(connection, point, value)
    if point.reading.order is not ByteOrder.ABCD and (point.reading.counted or point.reading.data_type in S7_TYPES):
        message = f"{point.name} is read in the order {point.reading.order}, in which no CPU writes this type"
        raise Unwritable("not_writable", message)
    data, skipped = _data(point.reading, value), _skipped(point.reading)
    numbered = point.area in NUMBERED
    size = len(data) // 2 if numbered else len(data)
    item = Item(point.area, point.db, point.start + skipped, size)
    return S7Write(item, item.start, int(point.area) if numbered else _BYTE, data, connection.timeout_s)


def _bit_write(connection: S7Connection, point: S7Point, value: Value) -> S7Write:
    if point.bit is None or point.reading.count:
        raise Unwritable("not_writable", f"{point.name} is not a single bit; expected a tag for each bit")
    if not isinstance(value, bool) and value not in (0, 1):
        raise Unwritable("wrong_type", f"{value!r} is no BOOL; expected true or false")
    item = Item(point.area, point.db, point.start, 1)
    return S7Write(item, 8 * point.start + point.bit, _BIT, bytes([bool(value)]), connection.timeout_s)


def _data(reading: Reading, value: Value) -> bytes:
    if reading.counted:
        return _counted_text(reading, value)
    if reading.data_type in _DATES:
        return b"".join(_date(reading.data_type, each) for each in _elements(reading, value))
    if reading.data_type is DataType.S5TIME:
        return b"".join(_s5time(reading, each) for each in _elements(reading, value))
    if reading.data_type is DataType.TIME:
        return encode_value(replace(reading, data_type=DataType.INT32), value)
    if reading.data_type is DataType.CHAR:
        return encode_value(replace(reading, data_type=DataType.STRING, count=reading.count or 1), value)
    return encode_value(reading, value)


def _elements(reading: Reading, value: Value) -> list[Value]:
    if reading.count is None:
        return [value]
    if not isinstance(value, list) or len(value) != reading.count:
        raise Unwritable("wrong_type", f"an array of {reading.count} {reading.data_type} was expected")
    return value


def _date(data_type: DataType, value: Value) -> bytes:
    if not isinstance(value, str):
        raise Unwritable("wrong_type", f"{value!r} is no {data_type}; expected a text such as 2026-04-17T08:00:00")
    try:
        return _DATES[data_type](value)
    except ValueError as error:
        raise Unwritable("out_of_range", f"{value!r} is no {data_type} that the CPU can hold: {error}") from None


def _s5time(reading: Reading, value: Value) -> bytes:
    """By way of a whole number, which has the scaling and its rounding."""
    number = encode_value(Reading(DataType.INT64, scaling=reading.scaling), value)
    try:
        return s5time_word(int.from_bytes(number, "big", signed=True)).to_bytes(2, "big")
    except ValueError:
        message = f"{value!r} is no S5TIME; expected up to 9,990,000 ms, to 3 digits of 10 ms, 100 ms, 1 s or 10 s"
        raise Unwritable("out_of_range", message) from None


def _skipped(reading: Reading) -> int:
    """Of a counted text the greatest length stays as the block declares it."""
    return TEXT_HEADERS[reading.data_type] // 2 if reading.counted else 0


def _counted_text(reading: Reading, value: Value) -> bytes:
    """How many characters it has, and those."""
    if not isinstance(value, str):
        raise Unwritable("wrong_type", f"{value!r} is no text")
    wide = reading.data_type is DataType.WSTRING
    try:
        characters = value.encode("utf-16-be" if wide else reading.encoding)
    except UnicodeEncodeError:
        raise Unwritable("out_of_range", f"{value!r} can not be written in {reading.encoding}") from None
    count, most = len(characters) // (2 if wide else 1), reading.count or 0
    if count > most:
        raise Unwritable("out_of_range", f"{value!r} takes {count} of at most {most}")
    return count.to_bytes(TEXT_HEADERS[reading.data_type] // 2, "big") + characters
