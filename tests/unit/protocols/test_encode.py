"""What is encoded decodes to the same value, in every type and order; what does not fit is refused by its code."""

import math
import struct
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.base import ByteOrder, Cycle, DataType, Value
from protocols.codec import BlockDecoder
from protocols.encode import encode_bits, encode_value
from protocols.errors import Unwritable
from protocols.layout import WIDTHS, Field, Reading
from protocols.scaling import Scaling
from tests.unit.protocols.singles import from_bits

LETTERS = (ByteOrder.ABCD, ByteOrder.CDAB, ByteOrder.BADC, ByteOrder.DCBA)
INTEGERS = {
    DataType.INT8: (-128, 127), DataType.UINT8: (0, 255), DataType.INT16: (-32768, 32767), DataType.UINT16: (0, 65535),
    DataType.INT32: (-(2**31), 2**31 - 1), DataType.UINT32: (0, 2**32 - 1), DataType.INT64: (-(2**63), 2**63 - 1),
    DataType.UINT64: (0, 2**64 - 1), DataType.BCD16: (0, 9999), DataType.BCD32: (0, 99_999_999),
}  # fmt: skip
SINGLES = st.integers(0, 2**32 - 1).map(from_bits).filter(math.isfinite)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
DECIMALS = st.decimals(-1000, 1000, places=3)
SCALES = DECIMALS.filter(bool)


def decoded(reading: Reading, block: bytes, at: int = 0) -> Value:
    cycle = Cycle([None])
    BlockDecoder([Field(0, at, reading)]).decode(bytes(at) + block, cycle)
    (value,) = cycle.values
    assert value is not None, cycle.bad
    return value


def there_and_back(reading: Reading, value: Value) -> None:
    block = encode_value(reading, value)
    back = decoded(reading, block)
    assert back == value
    assert repr(back) == repr(value)


@st.composite
def readings(draw: st.DrawFn, *types: DataType, scaled: bool = False) -> Reading:
    data_type = draw(st.sampled_from(types))
    stride = draw(st.sampled_from([0, 2])) if WIDTHS[data_type] == 1 else 0
    scaling = Scaling.of(draw(SCALES), draw(DECIMALS)) if scaled else Scaling()
    return Reading(data_type, draw(st.sampled_from(LETTERS)), draw(st.none() | st.integers(2, 4)), stride, scaling)


def drawn(data: st.DataObject, reading: Reading, numbers: st.SearchStrategy[int] | st.SearchStrategy[float]) -> Value:
    if reading.count is None:
        return data.draw(numbers)
    return [*data.draw(st.lists(numbers, min_size=reading.count, max_size=reading.count))]


@given(readings(*INTEGERS), st.data())
def test_integers_come_back(reading: Reading, data: st.DataObject) -> None:
    there_and_back(reading, drawn(data, reading, st.integers(*INTEGERS[reading.data_type])))


@given(readings(*(each for each in INTEGERS if WIDTHS[each] < 8), scaled=True), st.data())
def test_scaled_integers_come_back(reading: Reading, data: st.DataObject) -> None:
    """Values are those that some raw integers decode to."""
    plain = Reading(reading.data_type, reading.order, reading.count, reading.stride)
    raws = encode_value(plain, drawn(data, reading, st.integers(*INTEGERS[reading.data_type])))
    assert encode_value(reading, decoded(reading, raws)) == raws


@given(readings(DataType.FLOAT32, DataType.FLOAT64), st.data())
def test_floats_come_back_as_their_shortest_decimals(reading: Reading, data: st.DataObject) -> None:
    if reading.data_type is DataType.FLOAT64:
        there_and_back(reading, drawn(data, reading, DOUBLES))
        return
    single = drawn(data, reading, SINGLES)
    singles = single if isinstance(single, list) else [single]
    plain = Reading(DataType.FLOAT32, count=reading.count)
    shortest = decoded(plain, struct.pack(f">{len(singles)}f", *singles))
    there_and_back(reading, shortest)


@given(st.integers(-(10**6), 10**6), SCALES, DECIMALS)
def test_scaled_floats_come_back(thousandths: int, scale: Decimal, offset: Decimal) -> None:
    for data_type in (DataType.FLOAT32, DataType.FLOAT64):
        reading = Reading(data_type, scaling=Scaling.of(scale, offset))
        raw = encode_value(Reading(data_type), thousandths / 1000)
        assert encode_value(reading, decoded(reading, raw)) == raw


@given(
    st.text().filter(lambda text: "\0" not in text and text == text.rstrip(" ")),
    st.sampled_from(LETTERS),
    st.integers(0, 3),
)
def test_texts_come_back(text: str, order: ByteOrder, room: int) -> None:
    size = len(text.encode()) + room or 1
    there_and_back(Reading(DataType.STRING, order, size), text)


@pytest.mark.parametrize("order", LETTERS)
def test_korean_in_cp949(order: ByteOrder) -> None:
    reading = Reading(DataType.STRING, order, 11, encoding="cp949")
    there_and_back(reading, "프레스 3호")
    assert len(encode_value(reading, "")) == (11 if order in (ByteOrder.ABCD, ByteOrder.CDAB) else 12)


@given(st.sampled_from(LETTERS), st.booleans())
def test_a_whole_word_is_0_or_1(order: ByteOrder, value: bool) -> None:
    assert encode_value(Reading(DataType.BOOL), value) == bytes([0, value])
    there_and_back(Reading(DataType.BOOL, order), value)


@given(st.lists(st.booleans(), min_size=2, max_size=20))
def test_bits(values: list[bool]) -> None:
    assert encode_bits(Reading(DataType.BOOL, count=len(values)), [*values]) == values
    assert encode_bits(Reading(DataType.BOOL), values[0]) == [values[0]]


@pytest.mark.parametrize(
    ("data_type", "order", "expected"),
    [
        (DataType.UINT32, ByteOrder.ABCD, "01020304"), (DataType.UINT32, ByteOrder.CDAB, "03040102"),
        (DataType.UINT32, ByteOrder.BADC, "02010403"), (DataType.UINT32, ByteOrder.DCBA, "04030201"),
        (DataType.UINT64, ByteOrder.CDAB, "0304010200000000"), (DataType.BCD32, ByteOrder.BADC, "90163890"),
    ],
)  # fmt: skip
def test_the_bytes_themselves(data_type: DataType, order: ByteOrder, expected: str) -> None:
    value = 16909060 if data_type is not DataType.BCD32 else 16_909_038
    assert encode_value(Reading(data_type, order), value).hex() == expected


@pytest.mark.parametrize(
    ("value", "scale", "offset", "raw"),
    [
        (25.4, "0.1", "0", 254), (25.45, "0.1", "0", 254), (25.55, "0.1", "0", 256), (0.3, "0.1", "0", 3),
        (-2, "4", "0", 0), (-6, "4", "0", -2), (69, "10", "-1", 7), (12, "-0.5", "7", -10), (1.0, "1", "0", 1),
    ],
)  # fmt: skip
def test_raw_is_reckoned_in_decimal_and_a_half_goes_to_the_even(
    value: float, scale: str, offset: str, raw: int
) -> None:
    reading = Reading(DataType.INT16, scaling=Scaling.of(Decimal(scale), Decimal(offset)))
    assert int.from_bytes(encode_value(reading, value), "big", signed=True) == raw


TENTH = Scaling.of(Decimal("0.1"), Decimal(0))


@pytest.mark.parametrize(
    ("reading", "value", "code", "message"),
    [
        (Reading(DataType.UINT8), 256, "out_of_range", "256, does not fit into UINT8, which holds 0 to 255"),
        (Reading(DataType.UINT8, scaling=TENTH), 25.6, "out_of_range", "25.6, raw 256, does not fit"),
        (Reading(DataType.INT16), -32769, "out_of_range", "holds -32768 to 32767"),
        (Reading(DataType.UINT64), 2**64, "out_of_range", "does not fit into UINT64"),
        (Reading(DataType.BCD16), 10000, "out_of_range", "holds 0 to 9999"),
        (Reading(DataType.BCD32), -1, "out_of_range", "holds 0 to 99999999"),
        (Reading(DataType.FLOAT32), 1e39, "out_of_range", "larger than a FLOAT32"),
        (Reading(DataType.FLOAT32), 10**400, "out_of_range", "over 40 digits is larger than a FLOAT32"),
        (Reading(DataType.FLOAT64, scaling=TENTH), 1e308, "out_of_range", "larger than a FLOAT64"),
        (Reading(DataType.FLOAT64), math.nan, "wrong_type", "nan is no finite number"),
        (Reading(DataType.INT32), math.inf, "wrong_type", "inf is no finite number"),
        (Reading(DataType.UINT16), "12", "wrong_type", "'12' is no number"),
        (Reading(DataType.UINT16), True, "wrong_type", "True is no number"),
        (Reading(DataType.UINT16), [1], "wrong_type", "a list of 1 is no number"),
        (Reading(DataType.UINT16, count=3), [1, 2], "wrong_type", "a list of 2 is no array of 3 UINT16"),
        (Reading(DataType.UINT16, count=2), 7, "wrong_type", "7 is no array of 2"),
        (Reading(DataType.UINT16, count=2), [1, "2"], "wrong_type", "'2' is no number"),
        (Reading(DataType.BOOL), 2, "wrong_type", "2 is no BOOL"),
        (Reading(DataType.BOOL), "on", "wrong_type", "expected true or false"),
        (Reading(DataType.STRING, count=4), 5, "wrong_type", "5 is no text"),
        (Reading(DataType.STRING, count=4), "열다섯", "out_of_range", "takes 9 bytes in utf-8; the tag has 4"),
        (Reading(DataType.STRING, count=4, encoding="latin-1"), "프", "out_of_range", "'프', which latin-1 can not"),
        (Reading(DataType.STRING, count=4), "a\0b", "out_of_range", "NUL"),
        (Reading(DataType.STRING, count=4), "x" * 10_000, "out_of_range", r"'x+\.\.\. takes 10000 bytes"),
    ],
)  # fmt: skip
def test_what_can_not_be_written_is_refused(reading: Reading, value: Value, code: str, message: str) -> None:
    with pytest.raises(Unwritable, match=message) as caught:
        encode_value(reading, value)
    assert caught.value.code == code
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("value", [2, "1", None, 0.5, [True]])
def test_what_is_no_bit_is_refused(value: Value) -> None:
    with pytest.raises(Unwritable) as caught:
        encode_bits(Reading(DataType.BOOL), value)
    assert caught.value.code == "wrong_type"
