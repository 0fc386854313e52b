from decimal import Decimal

import pytest

from protocols.base import ByteOrder, DataType, TagSpec, Value
from protocols.errors import Unwritable
from protocols.s7.driver import S7Driver
from protocols.s7.writes import S7Write

DRIVER = S7Driver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7"}, 3)


def write(address: str, data_type: DataType, value: Value, **more: object) -> S7Write:
    point = DRIVER.point(TagSpec("t", address, data_type, **more), CONNECTION)  # type: ignore[arg-type]
    return DRIVER.encode(CONNECTION, point, value)


@pytest.mark.parametrize(
    ("address", "data_type", "value", "start", "data"),
    [
        ("DB1.DBW4", DataType.UINT16, 0x1234, 4, "1234"),
        ("DB1.DBD4", DataType.FLOAT32, 1.5, 4, "3fc00000"),
        ("DB1.DBD4", DataType.TIME, -1, 4, "ffffffff"),
        ("DB1.DBW4", DataType.S5TIME, 123_000, 4, "2123"),
        ("DB1.DBW4", DataType.DATE, "1990-01-02", 4, "0001"),
        ("DB1.DBD4", DataType.TIME_OF_DAY, "00:00:00.256", 4, "00000100"),
        ("DB1.DBB4", DataType.DATE_AND_TIME, "2026-04-17T08:00:00.123", 4, "2604170800001236"),
        ("DB1.DBB4", DataType.DTL, "2026-04-17T08:00:00", 4, "07ea04110608000000000000"),
        ("DB1.DBB4", DataType.CHAR, "A", 4, "41"),
        ("DB1.STRING4.20", DataType.STRING, "AB", 5, "024142"),
        ("DB1.WSTRING4.20", DataType.WSTRING, "김", 6, "0001ae40"),
        ("T4", DataType.UINT32, 990, 4, "0099"),
        ("C4", DataType.UINT16, 123, 4, "0123"),
    ],
)
def test_what_is_written_and_from_where(address: str, data_type: DataType, value: Value, start: int, data: str) -> None:
    written = write(address, data_type, value)
    assert (written.start, written.data.hex()) == (start, data)


def test_a_bit_is_written_alone() -> None:
    written = write("DB1.DBX4.3", DataType.BOOL, True)
    assert (written.start, written.element, written.data) == (35, 1, b"\1")
    assert written.subject == "bit 3 of DB1.DBB4"
    assert write("MW4", DataType.BOOL, 0, bit=15).start == 39


def test_scaled_times_go_back_to_milliseconds() -> None:
    assert write("T0", DataType.UINT32, 1.5, scale=Decimal("0.001")).data.hex() == "0150"


@pytest.mark.parametrize(
    ("address", "data_type", "value", "code"),
    [
        ("I0.0", DataType.BOOL, True, "not_writable"),
        ("DB1.DBW4", DataType.BOOL, True, "not_writable"),
        ("DB1.DBX0.0", DataType.BOOL, "on", "wrong_type"),
        ("DB1.DBX0.0", DataType.BOOL, 2, "wrong_type"),
        ("DB1.STRING0.3", DataType.STRING, 5, "wrong_type"),
        ("DB1.STRING0.3", DataType.STRING, "ABCD", "out_of_range"),
        ("DB1.WSTRING0.3", DataType.WSTRING, "ABCD", "out_of_range"),
        ("DB1.DBB0", DataType.DTL, "tomorrow", "out_of_range"),
        ("DB1.DBB0", DataType.DTL, 5, "wrong_type"),
        ("DB1.DBW0", DataType.S5TIME, 10_010, "out_of_range"),
    ],
)
def test_what_can_not_be_written_is_said_before_anything_is_sent(
    address: str, data_type: DataType, value: Value, code: str
) -> None:
    with pytest.raises(Unwritable) as caught:
        write(address, data_type, value)
    assert caught.value.code == code


def test_a_text_in_another_order_is_only_read() -> None:
    with pytest.raises(Unwritable, match="BADC"):
        write("DB1.STRING0.4", DataType.STRING, "AB", byte_order=ByteOrder.BADC)
    with pytest.raises(Unwritable, match="array of 2 DATE"):
        write("DB1.DBW0", DataType.DATE, "2026-04-17", length=2)
    with pytest.raises(Unwritable, match="can not be written in iso8859-1"):
        write("DB1.STRING0.4", DataType.STRING, "김", encoding="latin-1")
