"""The compiled decoder against one that looks at one tag at a time."""

import struct
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.base import ByteOrder, Cycle, DataType, Value
from protocols.codec import BlockDecoder
from protocols.layout import WIDTHS, Field, Reading
from protocols.quality import Quality
from protocols.scaling import Scaling

LETTERS = (ByteOrder.ABCD, ByteOrder.CDAB, ByteOrder.BADC, ByteOrder.DCBA)
CODES = {
    DataType.INT8: "b", DataType.UINT8: "B", DataType.INT16: "h", DataType.UINT16: "H", DataType.INT32: "i",
    DataType.UINT32: "I", DataType.INT64: "q", DataType.UINT64: "Q",
}  # fmt: skip
SIZE = 40


def plain(block: bytes, field: Field) -> Value:
    """One value, read the long way: cut out, words put right, bytes put right."""
    reading = field.reading
    width = WIDTHS[reading.data_type]
    elements: list[Value] = []
    for i in range(reading.count or 1):
        raw = block[field.at + i * width : field.at + (i + 1) * width]
        words = [raw[at : at + 2] for at in range(0, width, 2)]
        if reading.order in (ByteOrder.CDAB, ByteOrder.DCBA):
            words.reverse()
        if reading.order in (ByteOrder.BADC, ByteOrder.DCBA) and width > 1:
            words = [word[::-1] for word in words]
        (number,) = struct.unpack(">" + CODES[reading.data_type], b"".join(words))
        elements.append(number * reading.scaling.multiplier)
    return elements[0] if reading.count is None else elements


@st.composite
def fields(draw: st.DrawFn) -> list[Field]:
    drawn = []
    for tag in range(draw(st.integers(1, 12))):
        data_type = draw(st.sampled_from(list(CODES)))
        count = draw(st.none() | st.integers(2, 3))
        at = draw(st.integers(0, SIZE - WIDTHS[data_type] * (count or 1)))
        scaling = Scaling(draw(st.sampled_from([1, -1]))) if WIDTHS[data_type] < 8 else Scaling()
        drawn.append(Field(tag, at, Reading(data_type, draw(st.sampled_from(LETTERS)), count, scaling=scaling)))
    tags = draw(st.permutations(range(len(drawn))))
    return [replace(field, tag=tag) for field, tag in zip(drawn, tags, strict=True)]


@given(fields(), st.binary(min_size=SIZE, max_size=SIZE))
def test_any_fields_that_overlap_in_any_way_at_any_byte(drawn: list[Field], block: bytes) -> None:
    cycle = Cycle([None] * len(drawn))
    BlockDecoder(drawn).decode(block, cycle)
    expected = {field.tag: plain(block, field) for field in drawn}
    assert dict(enumerate(cycle.values)) == expected
    assert cycle.bad == {}


def decoded(block: bytes, *wanted: Field) -> Cycle:
    cycle = Cycle([None] * len(wanted))
    BlockDecoder(wanted).decode(block, cycle)
    return cycle


def test_bits_least_first_one_by_one_and_in_arrays() -> None:
    block = bytes([0b1000_0101, 0b0000_0010])
    one, many = Reading(DataType.BOOL), Reading(DataType.BOOL, count=5)
    cycle = decoded(block, *(Field(i, i // 8, one, i % 8) for i in range(16)), Field(16, 0, many, 7))
    assert [i for i in range(16) if cycle.values[i]] == [0, 2, 7, 9]
    assert cycle.values[16] == [True, False, True, False, False]


@pytest.mark.parametrize("word", [b"\0\1", b"\1\0", b"\xff\xff"])
def test_a_whole_word_is_true_unless_zero(word: bytes) -> None:
    reading = Reading(DataType.BOOL, scaling=Scaling(0, 5))
    assert decoded(word + b"\0\0", Field(0, 0, reading), Field(1, 2, reading)).values == [True, False]


def test_a_bad_value_spoils_its_own_tag_or_array_alone() -> None:
    single, triple = Reading(DataType.FLOAT32), Reading(DataType.FLOAT32, count=3)
    block = struct.pack(">3f", 1.5, float("nan"), -2.5)
    cycle = decoded(block, *(Field(i, 4 * i, single) for i in range(3)), Field(3, 0, triple))
    assert cycle.values == [1.5, None, -2.5, None]
    assert cycle.bad == {1: Quality.NOT_A_NUMBER, 3: Quality.NOT_A_NUMBER}


def test_bcd_is_scaled_and_its_bad_digits_are_out_of_range() -> None:
    tenth = Scaling.of(Decimal("0.1"), Decimal(0))
    word, array = Reading(DataType.BCD16, scaling=tenth), Reading(DataType.BCD16, count=2)
    cycle = decoded(b"\x12\x34\x12\x3a", Field(0, 0, word), Field(1, 2, word), Field(2, 0, array))
    assert cycle.values == [123.4, None, None]
    assert cycle.bad == {1: Quality.OUT_OF_RANGE, 2: Quality.OUT_OF_RANGE}


def test_a_result_too_large_is_not_a_number_whatever_the_type() -> None:
    huge = Scaling.of(Decimal("1e306"), Decimal("0.5"))
    cycle = decoded(b"\x99\x99\x00\x01", *(Field(i, 2 * i, Reading(DataType.BCD16, scaling=huge)) for i in range(2)))
    assert cycle.values == [None, 1e306]
    assert cycle.bad == {0: Quality.NOT_A_NUMBER}


def test_values_land_where_their_tags_are() -> None:
    reading = Reading(DataType.UINT16)
    cycle = decoded(b"\0\1\0\2\0\3", Field(2, 0, reading), Field(0, 2, reading), Field(1, 4, reading))
    assert cycle.values == [2, 3, 1]
