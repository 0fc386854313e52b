from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import dates
from protocols.base import Cycle, DataType, Value
from protocols.codec import BlockDecoder
from protocols.layout import Field, Reading
from protocols.quality import Quality
from protocols.scaling import Scaling


def decoded(raw: bytes, *readings: Reading) -> Cycle:
    cycle = Cycle([None] * len(readings))
    BlockDecoder(Field(tag, 0, reading) for tag, reading in enumerate(readings)).decode(raw, cycle)
    return cycle


@pytest.mark.parametrize(
    ("raw", "data_type", "value"),
    [
        ("2123", DataType.S5TIME, 123_000),
        ("0999", DataType.S5TIME, 9_990),
        ("3999", DataType.S5TIME, 9_990_000),
        ("ffffffff", DataType.TIME, -1),
        ("05265c00", DataType.TIME, 86_400_000),
        ("0000", DataType.DATE, "1990-01-01"),
        ("33c7", DataType.DATE, "2026-04-17"),
        ("01b7747b", DataType.TIME_OF_DAY, "08:00:00.123"),
        ("26041708000012 36", DataType.DATE_AND_TIME, "2026-04-17T08:00:00.123"),
        ("9001010000000002", DataType.DATE_AND_TIME, "1990-01-01T00:00:00.000"),
        ("07ea0411060800000000 0000", DataType.DTL, "2026-04-17T08:00:00.000"),
        ("07ea041106080000075bcd15", DataType.DTL, "2026-04-17T08:00:00.123456789"),
        ("41", DataType.CHAR, "A"),
        ("00040002ae40cca000410042", DataType.WSTRING, "김철"),
    ],
)
def test_as_siemens_writes_them(raw: str, data_type: DataType, value: Value) -> None:
    reading = Reading(data_type, count=4 if data_type is DataType.WSTRING else None)
    assert decoded(bytes.fromhex(raw), reading).values == [value]


@pytest.mark.parametrize(
    ("raw", "data_type", "quality"),
    [
        ("2a23", DataType.S5TIME, Quality.OUT_OF_RANGE),
        ("05265c00", DataType.TIME_OF_DAY, Quality.OUT_OF_RANGE),
        ("0000000000000000", DataType.DATE_AND_TIME, Quality.OUT_OF_RANGE),
        ("260417080000123f00", DataType.DATE_AND_TIME, None),
        ("2613170800001230", DataType.DATE_AND_TIME, Quality.OUT_OF_RANGE),
        ("000000000000000000000000", DataType.DTL, Quality.OUT_OF_RANGE),
        ("07ea041106080000ffffffff", DataType.DTL, Quality.OUT_OF_RANGE),
        ("0002000300410041", DataType.WSTRING, Quality.BAD_ENCODING),
    ],
)
def test_what_is_none_spoils_its_own_tag_alone(raw: str, data_type: DataType, quality: Quality | None) -> None:
    block = bytes.fromhex(raw).ljust(16, b"\0")
    cycle = decoded(
        block, Reading(data_type, count=2 if data_type is DataType.WSTRING else None), Reading(DataType.UINT8)
    )
    assert cycle.bad == ({0: quality} if quality else {})
    assert cycle.values[1] == block[0]


def test_times_are_scaled_and_come_in_arrays() -> None:
    seconds = Scaling(1, 0, 1000)
    cycle = decoded(
        bytes.fromhex("21230999"),
        Reading(DataType.S5TIME, scaling=seconds),
        Reading(DataType.S5TIME, count=2),
        Reading(DataType.DATE, count=2),
    )
    assert cycle.values == [123.0, [123_000, 9_990], ["2013-03-24", "1996-09-23"]]


@given(st.binary(min_size=24, max_size=24), st.sampled_from([d for d in DataType if d is not DataType.STRING]))
def test_any_bytes_are_a_value_or_a_quality(raw: bytes, data_type: DataType) -> None:
    cycle = decoded(raw, Reading(data_type, count=6 if data_type is DataType.WSTRING else None))
    assert (cycle.values[0] is None) == (0 in cycle.bad)


@given(st.integers(0, 999), st.sampled_from([10, 100, 1000, 10_000]))
def test_s5times_there_and_back(count: int, base: int) -> None:
    assert dates.s5time_ms(dates.s5time_word(count * base)) == count * base


@pytest.mark.parametrize("ms", [-10, 5, 10_010, 9_990_010])
def test_what_no_s5time_can_say_is_refused(ms: int) -> None:
    with pytest.raises(ValueError, match=f"{ms} ms is no S5TIME"):
        dates.s5time_word(ms)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2089, 12, 31)))
def test_dates_there_and_back(at: datetime) -> None:
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    text = at.isoformat(timespec="milliseconds")
    assert dates.date_and_time_text(dates.date_and_time_bytes(text)) == text
    assert dates.dtl_text(dates.dtl_bytes(text)) == text
    assert dates.date_text(dates.date_days(text[:10])) == text[:10]
    assert dates.time_of_day_text(dates.time_of_day_ms(text[11:])) == text[11:]


@pytest.mark.parametrize("text", ["2026-04-17T08:00:00+09:00", "tomorrow", "1969-01-01T00:00:00"])
def test_what_can_not_be_written_is_refused(text: str) -> None:
    for writer in (dates.date_and_time_bytes, dates.dtl_bytes, dates.date_days):
        with pytest.raises(ValueError, match=r"\w"):
            writer(text)


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\x04\x02ABCD", "AB"),
        (b"\x04\x00ABCD", ""),
        (b"\xfe\x05ABCD", "ABCD"),
        (b"\x04\x03A\0BC", "A"),
        (b"\x04\x04AB  ", "AB"),
        (b"\x04\x05ABCD", None),
    ],
)
def test_a_string_has_as_many_bytes_as_its_header_says(raw: bytes, value: str | None) -> None:
    cycle = decoded(raw, Reading(DataType.STRING, count=4, counted=True))
    assert cycle.values == [value]
    assert cycle.bad == ({} if value is not None else {0: Quality.BAD_ENCODING})
