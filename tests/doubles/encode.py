"""Stands in for `protocols.encode.encode_value` where that is not to be had: whole numbers, floats and texts only."""

import struct
from decimal import Decimal

import pytest

from protocols import encode
from protocols.base import DataType, Value
from protocols.errors import Unwritable
from protocols.layout import Reading

_CODES = {
    DataType.INT8: "b", DataType.UINT8: "B", DataType.INT16: "h", DataType.UINT16: "H", DataType.INT32: "i",
    DataType.UINT32: "I", DataType.INT64: "q", DataType.UINT64: "Q", DataType.FLOAT32: "f", DataType.FLOAT64: "d",
    DataType.BCD16: "H",
}  # fmt: skip


def stand_in_for_encode(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use it in the S7 driver, unless the real one works."""
    try:
        encode.encode_value(Reading(DataType.UINT16), 1)
    except NotImplementedError:
        monkeypatch.setattr("protocols.s7.writes.encode_value", encoded)


def encoded(reading: Reading, value: Value) -> bytes:
    """The bytes of one value in big-endian order."""
    if isinstance(value, list):
        return b"".join(encoded(reading, each) for each in value)
    if reading.data_type is DataType.STRING:
        raw = str(value).encode(reading.encoding)
        if len(raw) > (reading.count or 0):
            raise Unwritable("out_of_range", f"{value!r} is too long")
        return raw.ljust(reading.count or 0, b"\0")
    if isinstance(value, str):
        raise Unwritable("wrong_type", f"{value!r} is no number")
    raw_value = (Decimal(repr(value)) * reading.scaling.divisor - reading.scaling.addend) / reading.scaling.multiplier
    floating = reading.data_type in (DataType.FLOAT32, DataType.FLOAT64)
    number: int | float = float(raw_value) if floating else round(raw_value)
    if reading.data_type is DataType.BCD16:
        number = int(str(number), 16)
    try:
        return struct.pack(">" + _CODES[reading.data_type], number)
    except struct.error:
        raise Unwritable("out_of_range", f"{value!r} is too large") from None
