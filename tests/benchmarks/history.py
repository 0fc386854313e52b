"""What the history costs: processor time a value, bytes a value, and what a day of it writes."""

import asyncio
import math
import random
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from collector.config.plan import DevicePlan
from collector.history.history import History
from collector.history.vault import FILE
from collector.polling.scan import Scan
from collector.status.board import Board
from protocols.base import Value
from protocols.shortest import shortest_float32s
from tests.benchmarks.figures import Figure, Target
from tests.doubles.clock import FakeClock
from tests.doubles.plans import plan_of
from tests.doubles.scans import plain_device, scan_of

_TAGS = 1_000
_DAY_S = 86_400
_LIMIT_BYTES = 1 << 30
_QUERIES = 50

Signal = Callable[[random.Random, int, int], Value]

SIGNALS: tuple[tuple[int, Signal], ...] = (
    (400, lambda chance, n, t: round(25 + 5 * math.sin((t + 17 * n) / 300) + chance.gauss(0, 0.15), 1)),
    (200, lambda chance, n, t: round(11 + math.sin((t + 7 * n) / 60) + chance.gauss(0, 0.03), 2)),
    (150, lambda chance, n, t: int(20_000 + 3_000 * math.sin((t + n) / 100) + chance.gauss(0, 30))),
    (100, lambda chance, n, t: (t // 37 + n) % 2 == 0),
    (50, lambda chance, n, t: 1_000 * n + t // 3),
    (50, lambda chance, n, t: 42.5),
    (40, lambda chance, n, t: shortest_float32s([50 + 10 * math.sin((t + n) / 200) + chance.gauss(0, 0.2)])[0]),
    (10, lambda chance, n, t: "AUTO" if t // 100 % 3 else "정지"),
)
"""A line of 1,000 tags: temperatures and pressures, raw analogue inputs, states, counters, setpoints, texts."""


@dataclass(frozen=True, slots=True)
class _Minutes:
    """Seconds of processor time, of all threads, and of the clock, a minute that was written."""

    cpu_s: list[float]
    wall_s: list[float]


def measure(folder: Path, minutes: int) -> list[Figure]:
    """Of so many minutes of 1,000 values/s; from 61 on with an hour sealed."""
    return asyncio.run(_measure(folder / "history", minutes))


async def _measure(folder: Path, minutes: int) -> list[Figure]:
    clock, device = FakeClock(), plain_device([f"t{number}" for number in range(_TAGS)])
    begun_ms = clock.wall_ms()
    async with History.open(
        folder, limit_bytes=_LIMIT_BYTES, raw_hours=24, zone=None, clock=clock, board=Board(clock)
    ) as history:
        history.follow(plan_of(device))
        took = await _record(history, device, clock, minutes)
        written = (await history.depth()).written_per_day_bytes
        answers_s = [await _ask(history, clock, begun_ms, number) for number in range(_QUERIES)]
    return _figures(took, minutes, _raw_bytes(folder) / (minutes * 60 * _TAGS), written, answers_s)


def _raw_bytes(folder: Path) -> int:
    with closing(sqlite3.connect(folder / FILE)) as connection:
        return int(connection.execute("SELECT sum(length(body)) FROM raw").fetchone()[0])


async def _record(history: History, device: DevicePlan, clock: FakeClock, minutes: int) -> _Minutes:
    chance, took = random.Random(1), _Minutes([], [])
    for _ in range(minutes):
        scans = list(_minute(device, clock, chance))
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        for scan in scans:
            history.record(scan)
        await history.flush()
        took.cpu_s.append(time.process_time() - cpu_s)
        took.wall_s.append(time.perf_counter() - wall_s)
    return took


def _minute(device: DevicePlan, clock: FakeClock, chance: random.Random) -> Iterator[Scan]:
    for _ in range(60):
        second = clock.wall_ms() // 1000
        values = [signal(chance, number, second) for count, signal in SIGNALS for number in range(count)]
        yield scan_of(device, clock.wall_ms(), values)
        clock.advance(1)


async def _ask(history: History, clock: FakeClock, begun_ms: int, number: int) -> float:
    begun = time.perf_counter()
    await history.series("1", f"t{number}", begun_ms, clock.wall_ms())
    return time.perf_counter() - begun


def _figures(
    took: _Minutes, minutes: int, bytes_a_value: float, written: int | None, answers_s: list[float]
) -> list[Figure]:
    values = 60 * _TAGS

    def figure(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return Figure("history: 1,000 tags, every second", name, unit, (value,), target)

    return [
        figure("CPU added per value", "µs", sum(took.cpu_s) / minutes / values * 1e6, Target("≤", 1)),
        figure("on disk per raw value", "bytes", bytes_a_value, Target("≤", 4)),
        figure("raw values of a day", "MB", bytes_a_value * _TAGS * _DAY_S / 1e6, Target("≤", 350)),
        figure("writes", "values/s", values / median(took.wall_s)),
        *([figure("written to the disk", "GB a day", written / 1e9)] if written is not None else []),
        figure("one tag, all of it", "ms", median(answers_s) * 1e3, Target("<", 50)),
    ]
