from decimal import Decimal

import pytest

from protocols.base import ByteOrder, DataType, TagSpec
from protocols.errors import Refused
from protocols.s7.addresses import Area
from protocols.s7.points import S7Point, place


def point(address: str, data_type: DataType, **more: object) -> S7Point:
    return place(TagSpec("t", address, data_type, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "data_type", "length", "size"),
    [
        ("DB1.DBD12", DataType.FLOAT64, None, 8),
        ("DB1.DBB12", DataType.INT64, None, 8),
        ("MW12", DataType.UINT8, None, 1),
        ("DB1.DBD12", DataType.FLOAT32, 5, 20),
        ("DB1.DBB12", DataType.CHAR, 7, 7),
        ("DB1.DBB12", DataType.CHAR, None, 1),
        ("DB1.DBB12", DataType.STRING, 20, 22),
        ("DB1.STRING12.20", DataType.STRING, None, 22),
        ("DB1.WSTRING12.20", DataType.WSTRING, None, 44),
        ("DB1.DBD12", DataType.TIME, None, 4),
        ("DB1.DBW12", DataType.S5TIME, 3, 6),
        ("DB1.DBW12", DataType.DATE, None, 2),
        ("DB1.DBD12", DataType.TIME_OF_DAY, None, 4),
        ("DB1.DBB12", DataType.DATE_AND_TIME, None, 8),
        ("DB1.DBB12", DataType.DTL, None, 12),
        ("DB1.DBX12.6", DataType.BOOL, 10, 2),
        ("DB1.DBW12", DataType.BOOL, None, 2),
    ],
)
def test_the_address_gives_the_first_byte_and_the_type_the_size(
    address: str, data_type: DataType, length: int | None, size: int
) -> None:
    placed = point(address, data_type, length=length)
    assert (placed.start, placed.size) == (12, size)


@pytest.mark.parametrize(("bit", "byte", "of_byte"), [(0, 5, 0), (7, 5, 7), (8, 4, 0), (15, 4, 7)])
def test_a_bit_of_a_word_counts_from_its_least(bit: int, byte: int, of_byte: int) -> None:
    placed = point("DB1.DBW4", DataType.BOOL, bit=bit)
    assert (placed.start, placed.size, placed.bit) == (byte, 1, of_byte)
    swapped = point("DB1.DBW4", DataType.BOOL, bit=bit, byte_order=ByteOrder.BADC)
    assert swapped.start == byte ^ 1


def test_orders_in_words_mean_s7s_own_and_letters_force() -> None:
    for order in (ByteOrder.BIG_ENDIAN, ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN_SWAP, ByteOrder.ABCD):
        assert point("DB1.DBD0", DataType.UINT32, byte_order=order).reading.order is ByteOrder.ABCD
    assert point("DB1.DBD0", DataType.UINT32, byte_order=ByteOrder.CDAB).reading.order is ByteOrder.CDAB


def test_timers_are_milliseconds_and_counters_numbers() -> None:
    timer = point("T3", DataType.UINT32, length=4, scale=Decimal("0.001"))
    assert (timer.area, timer.start, timer.size, timer.reading.data_type) == (Area.TIMERS, 3, 4, DataType.S5TIME)
    assert timer.reading.scaling.divisor == 1000
    assert point("C3", DataType.INT16).reading.data_type is DataType.BCD16


@pytest.mark.parametrize(
    ("address", "data_type", "more", "field", "why"),
    [
        ("DB1.DBX0.0", DataType.UINT16, {}, "data_type", "a single bit; expected BOOL"),
        ("DB1.DBW0", DataType.UINT16, {"bit": 3}, "data_type", "a single bit; expected BOOL"),
        ("DB1.DBX0.0", DataType.BOOL, {"bit": 3}, "bit", "names bit 0"),
        ("DB1.DBB0", DataType.BOOL, {}, "address", "names no bit"),
        ("DB1.DBB0", DataType.BOOL, {"bit": 8}, "bit", "has the bits 0 to 7"),
        ("DB1.DBW0", DataType.BOOL, {"length": 4}, "length", "begins at a bit"),
        ("DB1.STRING0.20", DataType.UINT16, {}, "data_type", "expected STRING"),
        ("DB1.STRING0.20", DataType.STRING, {"length": 30}, "length", "says 20"),
        ("DB1.STRING0", DataType.STRING, {}, "length", r"needs the number of characters .*1 to 254.*at byte 10\)$"),
        ("DB1.DBB0", DataType.STRING, {"length": 255}, "length", "found 255"),
        ("DB1.DBB0", DataType.DTL, {"length": 2}, "length", "a tag each"),
        ("DB1.DBD65534", DataType.UINT32, {}, "address", "past the end"),
        ("T0", DataType.FLOAT32, {}, "data_type", "is a timer, in ms; expected INT16, .*S5TIME"),
        ("C0", DataType.BOOL, {}, "data_type", "is a counter; expected INT16"),
        ("DB1.DBB0", DataType.CHAR, {"encoding": "klingon"}, "encoding", "not a known encoding"),
    ],
)
def test_what_can_not_be_is_refused_on_its_field(
    address: str, data_type: DataType, more: dict[str, object], field: str, why: str
) -> None:
    with pytest.raises(Refused, match=why) as caught:
        point(address, data_type, **more)
    assert caught.value.field == field
