import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from collector.clock import Clock
from collector.status.board import Board
from collector.status.clock_watch import CODE, ClockWatch
from tests.doubles.clock import FakeClock

HOUR_S = 3600
YEARS_10_S = 315_360_000


class Watched:
    """A watch on a clock turned by hand, with all that it told."""

    def __init__(self, clock: Clock, *, built_ms: int = 0, seen_ms: int = 0) -> None:
        self.board = Board(clock)
        self.told: list[tuple[str, Mapping[str, object]]] = []
        self.remembered: list[int] = []
        self.watch = ClockWatch(
            clock,
            self.board,
            built_ms=built_ms,
            seen_ms=seen_ms,
            remember=self.remembered.append,
            tell=lambda kind, fields: self.told.append((kind, fields)),
        )

    @property
    def detail(self) -> str:
        return self.board.conditions[CODE].detail


def server(clock: FakeClock, off_s: float = 0) -> datetime:
    return datetime.fromtimestamp(clock.wall_ms() / 1000 + off_s, UTC).replace(microsecond=0)


def test_a_clock_that_nothing_speaks_against_is_believed() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    clock.advance(10 * HOUR_S)
    assert not watched.watch.in_doubt()
    assert not watched.told
    assert CODE not in watched.board.conditions


@pytest.mark.parametrize("off_s", [-61, 61, YEARS_10_S, -YEARS_10_S])
def test_over_a_minute_off_the_servers_time_is_doubt(off_s: int) -> None:
    clock = FakeClock()
    watched = Watched(clock)
    watched.watch.heard(server(clock, off_s))
    assert watched.watch.in_doubt()
    assert ("behind" if off_s > 0 else "ahead of") in watched.detail


@pytest.mark.parametrize("off_s", [-59, 0, 60])
def test_up_to_a_minute_off_the_servers_time_is_none(off_s: int) -> None:
    clock = FakeClock()
    watched = Watched(clock)
    watched.watch.heard(server(clock, off_s))
    assert not watched.watch.in_doubt()


def test_c1_ten_years_ahead_is_a_step_and_doubt_until_it_is_set_back() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    watched.watch.heard(server(clock))
    clock.step_wall(YEARS_10_S)
    assert watched.watch.in_doubt()
    assert watched.told == [("clock_step", {"by_sec": float(YEARS_10_S)})]
    clock.step_wall(-YEARS_10_S)
    assert not watched.watch.in_doubt()
    assert watched.told[1:] == [("clock_step", {"by_sec": -float(YEARS_10_S)})]
    assert CODE not in watched.board.conditions


def test_c2_an_hour_back_is_before_a_time_already_seen() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    clock.advance(5)
    clock.step_wall(-HOUR_S)
    assert watched.watch.in_doubt()
    assert "seen here before" in watched.detail
    clock.advance(HOUR_S)
    assert not watched.watch.in_doubt()
    assert watched.told == [("clock_step", {"by_sec": -float(HOUR_S)})]


def test_c2_the_server_says_that_the_clock_set_back_is_right() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    clock.step_wall(-HOUR_S)
    assert watched.watch.in_doubt()
    watched.watch.heard(server(clock))
    assert not watched.watch.in_doubt()


def test_c3_a_boot_in_1970_is_doubt_until_the_time_is_set() -> None:
    clock = FakeClock(wall_ms=60_000)
    watched = Watched(clock, built_ms=1_767_225_600_000)
    assert watched.watch.in_doubt()
    assert "2026-01-01" in watched.detail
    clock.advance(60)
    clock.step_wall(1_776_412_800)
    assert not watched.watch.in_doubt()
    assert [kind for kind, _ in watched.told] == ["clock_step"]


def test_c3_a_boot_before_the_last_run_is_doubt() -> None:
    clock = FakeClock()
    watched = Watched(clock, seen_ms=clock.wall_ms() + 1)
    assert watched.watch.in_doubt()
    assert "clock_seen" in watched.detail


def test_an_opinion_grows_old_but_not_within_a_day() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    watched.watch.heard(server(clock, 120))
    clock.advance(23 * HOUR_S)
    assert watched.watch.in_doubt()
    clock.advance(2 * HOUR_S)
    assert not watched.watch.in_doubt()


def test_slewing_is_no_step() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    for _ in range(1_000):
        clock.advance(5)
        clock.step_wall(0.01)
        assert not watched.watch.in_doubt()
    assert not watched.told


def test_c5_a_suspended_machine_wakes_up_with_a_step_and_a_clock_that_is_believed() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    watched.watch.heard(server(clock))
    clock.step_wall(HOUR_S)  # the monotonic clock stands still while the machine sleeps
    assert watched.watch.in_doubt()
    watched.watch.heard(server(clock))
    assert not watched.watch.in_doubt()


async def test_the_time_is_remembered_at_the_start_and_at_the_end() -> None:
    clock = FakeClock()
    watched = Watched(clock)
    running = asyncio.create_task(watched.watch.run())
    while not watched.remembered:
        await asyncio.sleep(0)
    first = clock.wall_ms()
    clock.advance(10)
    running.cancel()
    await asyncio.wait([running])
    assert watched.remembered == [first, first + 10_000]
