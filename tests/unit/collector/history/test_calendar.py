"""Windows lie on the clock of the site, whatever that clock does twice a year."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from collector.history.calendar import DAY_S, HOUR_S, Calendar

ZONES = ["UTC", "Asia/Seoul", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"]
STAMPS = st.integers(0, 4_000_000_000_000)
SIZES = st.one_of(st.integers(1, DAY_S), st.sampled_from([60, 900, HOUR_S, DAY_S, 2 * DAY_S, 7 * DAY_S]))


def local(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@given(STAMPS, SIZES, st.sampled_from(ZONES))
def test_a_stamp_lies_in_its_window_and_all_of_a_window_agree(stamp_ms: int, size_s: int, zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone))
    begin, end = calendar.window(stamp_ms, size_s)
    assert begin <= stamp_ms < end
    assert calendar.window(begin, size_s) == calendar.window(end - 1, size_s) == (begin, end)
    assert calendar.window(end, size_s)[0] == end
    assert size_s > DAY_S or calendar.day(begin) == calendar.day(end - 1)


@given(STAMPS, st.integers(1, DAY_S), st.sampled_from(ZONES))
def test_a_cell_is_of_one_window_one_hour_and_one_day(stamp_ms: int, size_s: int, zone: str) -> None:
    calendar = Calendar(ZoneInfo(zone))
    begin, end = calendar.cell(stamp_ms, size_s)
    assert begin <= stamp_ms < end
    for each in (size_s, HOUR_S, DAY_S):
        assert calendar.window(begin, each) == calendar.window(end - 1, each)


def test_days_begin_at_midnight_of_the_site() -> None:
    seoul = Calendar(ZoneInfo("Asia/Seoul"))
    noon = local("2026-04-17T12:00", "Asia/Seoul")
    assert seoul.window(noon, DAY_S) == (
        local("2026-04-17T00:00", "Asia/Seoul"), local("2026-04-18T00:00", "Asia/Seoul"),
    )  # fmt: skip


def test_days_of_23_and_25_hours() -> None:
    berlin = Calendar(ZoneInfo("Europe/Berlin"))
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-10-26", 24)):
        begin, end = berlin.window(local(f"{day}T12:00", "Europe/Berlin"), DAY_S)
        assert (end - begin) // 3_600_000 == hours
        starts = {berlin.window(stamp, HOUR_S)[0] for stamp in range(begin, end, 60_000)}
        assert len(starts) == hours


def test_hours_of_half_hour_zones_begin_at_their_full_hours() -> None:
    stamp = local("2026-04-17T09:10", "Asia/Kolkata")
    assert Calendar(ZoneInfo("Asia/Kolkata")).window(stamp, HOUR_S)[0] == local("2026-04-17T09:00", "Asia/Kolkata")
