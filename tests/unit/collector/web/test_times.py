"""Moments as a person writes them; what is none is said, never an error of another kind."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.web.times import day_of, day_start_ms, days_stretch_ms, moment_ms, resolution_s

NOW = 1_776_412_800_000  # 2026-04-17T08:00:00Z
SEOUL = ZoneInfo("Asia/Seoul")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("now()", NOW), ("now", NOW), (" NOW() ", NOW), ("-1h", NOW - 3_600_000), ("now()-1h", NOW - 3_600_000),
        ("now() - 30 m", NOW - 1_800_000), ("+5s", NOW + 5_000), ("-2d", NOW - 172_800_000), ("-1w", NOW - 604_800_000),
        ("2026-04-17T08:00:00Z", NOW), ("2026-04-17T17:00:00+09:00", NOW), ("2026-04-17T17:00:00 09:00", NOW),
        ("2026-04-17T17:00", NOW), ("2026-04-17 17:00:00", NOW), ("20260417T170000", NOW), (str(NOW), NOW),
    ],
)  # fmt: skip
def test_a_moment(text: str, expected: int) -> None:
    assert moment_ms(text, NOW, SEOUL) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "1h", "-1", "-1y", "now()-", "2026-13-01", "9999-12-31", "-9999999w"]
)
def test_what_is_no_moment_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected now"):
        moment_ms(text, NOW, SEOUL)


@given(st.text(max_size=30))
def test_no_text_fails_in_any_other_way(text: str) -> None:
    for read in (lambda: moment_ms(text, NOW, None), lambda: day_of(text), lambda: resolution_s(text)):
        try:
            read()
        except ValueError as error:
            assert str(error).startswith("expected ")  # noqa: PT017


def test_days_are_those_of_the_site() -> None:
    assert day_of("20260107") == day_of("2026-01-07") == date(2026, 1, 7)
    first, end = days_stretch_ms(date(2026, 1, 1), date(2026, 1, 7), SEOUL)
    assert (first, end - first) == (day_start_ms(date(2026, 1, 1), SEOUL), 7 * 86_400_000)
    new_york = ZoneInfo("America/New_York")
    spring, after = days_stretch_ms(date(2026, 3, 8), date(2026, 3, 8), new_york)
    assert after - spring == 23 * 3_600_000


@pytest.mark.parametrize(
    ("text", "expected"), [("auto", None), ("raw", 0), ("10s", 10), ("1m", 60), ("1 H", 3600), ("1d", 86_400)]
)
def test_a_resolution(text: str, expected: int | None) -> None:
    assert resolution_s(text) == expected


@pytest.mark.parametrize("text", ["", "0s", "1", "s", "-1m", "400d", "1y"])
def test_what_is_no_resolution(text: str) -> None:
    with pytest.raises(ValueError, match="expected auto"):
        resolution_s(text)
