"""What the history says equals what a plain calculation over everything that was recorded says."""

import asyncio
import random
import tempfile
from collections import defaultdict
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from operator import itemgetter
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.config.plan import DevicePlan, Plan
from collector.history.calendar import Calendar
from collector.history.history import History, Per
from collector.history.series import Series
from collector.polling.scan import Scan
from collector.status.board import Board
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.clock import FakeClock
from tests.doubles.plans import plan_of
from tests.doubles.scans import plain_device, scan_of

FOREVER = 1 << 43
TAGS = ("temperature", "counter", "running", "mode")


@dataclass
class Plant:
    """A device whose every scan is remembered in the plainest way."""

    chance: random.Random
    device: DevicePlan
    rows: list[tuple[int, dict[str, Value | None], dict[str, Quality]]]

    def scan(self, stamp_ms: int) -> Scan:
        chance = self.chance
        values: list[Value | None] = [
            chance.choice([None, round(chance.gauss(25, 4), chance.choice([0, 1, 3])), chance.gauss(0, 1e-6)]),
            chance.randrange(-(2**40), 2**40),
            chance.random() < 0.5,
            chance.choice(["AUTO", "정지", None]),
        ]
        bad = {1: Quality.UNCERTAIN} if chance.random() < 0.2 else {}
        scan = scan_of(self.device, stamp_ms, values, bad)
        if chance.random() < 0.3:
            scan = Scan(self.device, stamp_ms, TAGS[:2], values[:2], {k: q for k, q in scan.bad.items() if k < 2})
        named = dict(zip(scan.names, scan.values, strict=True))
        self.rows.append((stamp_ms, named, {scan.names[place]: quality for place, quality in scan.bad.items()}))
        return scan


def brute_force(plant: Plant, tag: str, size_s: int, zone: ZoneInfo) -> dict[int, list[Value]]:
    """The good values by the start of their window, by their stamps."""
    calendar = Calendar(zone)
    windows: defaultdict[int, list[Value]] = defaultdict(list)
    for stamp_ms, values, bad in sorted(plant.rows, key=itemgetter(0)):
        if tag in values:
            good = windows[calendar.window(stamp_ms, size_s)[0]]
            value = values[tag]
            if value is not None and tag not in bad:
                good.append(value)
    return windows


def check(series: Series, expected: dict[int, list[Value]], zone: ZoneInfo, interval_ms: int) -> None:
    calendar = Calendar(zone)
    assert series.start_ms == sorted(expected)
    for place, start in enumerate(series.start_ms):
        values = expected[start]
        numbers = [value for value in values if isinstance(value, int | float)]
        assert series.count[place] == len(values)
        assert series.minimum[place] == min(numbers, default=None)
        assert series.maximum[place] == max(numbers, default=None)
        mean = sum(numbers) / len(numbers) if numbers else None
        assert series.mean[place] == (None if mean is None else pytest.approx(mean, rel=1e-9, abs=1e-12))
        assert series.first[place] == (values[0] if values else None)
        assert series.last[place] == (values[-1] if values else None)
        begin, end = calendar.window(start, series.resolution_s)
        assert series.good_share[place] == min(1.0, len(values) * interval_ms / (end - begin))


async def course(seed: int, zone: ZoneInfo, window_s: int, folder: Path) -> None:
    chance = random.Random(seed)
    interval_ms = chance.choice([1_000, 10_000, 60_000])
    device = plain_device(TAGS, interval_ms=interval_ms)
    plant = Plant(chance, device, [])
    clock = FakeClock(1_761_350_400_000 + chance.randrange(86_400_000))  # about an end of summer time in Europe
    stamps: set[int] = set()
    for _ in range(chance.randrange(1, 4)):
        async with opened(folder, zone, clock) as history:
            history.follow(plan_with(device, window_s))
            for _ in range(chance.randrange(1, 40)):
                for _ in range(chance.randrange(5)):
                    stamp = clock.wall_ms()
                    if stamp not in stamps:
                        stamps.add(stamp)
                        history.record(plant.scan(stamp))
                    clock.advance(interval_ms / 1000)
                match chance.randrange(8):
                    case 0:
                        clock.step_wall(chance.choice([-7_200, -61, 30, 90_000]))
                    case 1:
                        clock.advance(chance.choice([60, 1_800, 20_000]))
                    case 2 | 3:
                        await history.flush()
            clock.advance(86_400 * 3)
            await compare(history, plant, zone, window_s, interval_ms)
            if chance.random() < 0.5:
                await history.flush()
                await compare(history, plant, zone, window_s, interval_ms)
            clock.step_wall(-86_400 * 3)


async def compare(history: History, plant: Plant, zone: ZoneInfo, window_s: int, interval_ms: int) -> None:
    for tag in TAGS:
        for size_s in (window_s, 3_600, 86_400):
            if size_s >= window_s:
                series = await history.series("1", tag, 0, FOREVER, resolution_s=size_s)
                check(series, brute_force(plant, tag, size_s, zone), zone, interval_ms)
        raw = await history.series("1", tag, 0, FOREVER, resolution_s=0)
        rows = sorted((stamp, values[tag]) for stamp, values, _ in plant.rows if tag in values)
        assert list(zip(raw.start_ms, raw.first, strict=True)) == rows
    for per in get_args(Per):
        single = [await history.aggregate("1", tag, 0, FOREVER, per=per) for tag in TAGS]
        assert await history.aggregates("1", TAGS, 0, FOREVER, per=per) == single
    await compare_totals(history, plant, zone, window_s)


async def compare_totals(history: History, plant: Plant, zone: ZoneInfo, window_s: int) -> None:
    """Over any span: of single values where it is short, else of what is in the windows that begin within it."""
    calendar = Calendar(zone)
    for _ in range(4):
        somewhere = [stamp for stamp, _, _ in plant.rows] or [0]
        start, end = sorted(plant.chance.choice(somewhere) + plant.chance.randrange(-90_000, 90_000) for _ in range(2))
        short = end - start < 10 * window_s * 1000
        totals = await history.totals("1", TAGS, start, end)
        for tag, total in zip(TAGS, totals, strict=True):
            good = [
                values[tag]
                for stamp, values, bad in sorted(plant.rows, key=itemgetter(0))
                if start <= (stamp if short else calendar.cell(stamp, window_s)[0]) < end
                if tag not in bad and values.get(tag) is not None
            ]
            numbers = [value for value in good if isinstance(value, int | float)]
            found = total.summary
            assert found.counted == len(good)
            assert (found.minimum, found.maximum) == (min(numbers, default=None), max(numbers, default=None))
            assert found.mean == (pytest.approx(sum(numbers) / len(numbers), rel=1e-9, abs=1e-12) if numbers else None)
            assert (found.first, found.last) == ((good[0], good[-1]) if good else (None, None))
            assert 0 <= total.good_share <= 1


def opened(folder: Path, zone: ZoneInfo, clock: FakeClock) -> AbstractAsyncContextManager[History]:
    return History.open(folder, limit_bytes=64 << 20, raw_hours=24, zone=zone, clock=clock, board=Board(clock))


def plan_with(device: DevicePlan, window_s: int) -> Plan:
    return replace(plan_of(device), aggregation_interval_s=window_s, local_retention_days=30)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32),
    st.sampled_from(["Asia/Seoul", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]),
    st.sampled_from([1, 60, 100, 900, 7_200, 86_400]),
)
def test_gaps_bad_quality_clock_steps_restarts_and_summer_time(seed: int, zone: str, window_s: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(course(seed, ZoneInfo(zone), window_s, Path(folder)))
