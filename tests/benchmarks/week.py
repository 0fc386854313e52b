"""A history as a gateway has it that has run for days: ten PLCs of 100 process-like tags, a value of each a second."""

import json
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from collector.clock import SystemClock
from collector.config.plan import DevicePlan
from collector.history.history import History
from collector.history.vault import FILE
from collector.status.board import Board
from protocols.base import Value
from tests.benchmarks.history import SIGNALS
from tests.benchmarks.tags import tag
from tests.doubles.clock import FakeClock
from tests.doubles.plans import plan_of
from tests.doubles.scans import plain_device, scan_of

DEVICES, TAGS = 10, 100
NAMES = tuple(str(tag(number, 40001 + number, "UINT16")["name"]) for number in range(TAGS))
_LIMIT_BYTES = 1 << 30
# Signals are reckoned for this long and then come again.
_ROUND_S = 600
_SHARE = 10


async def fill(folder: Path, minutes: int) -> None:
    """Write what all devices gave in the last so many minutes.

    The history itself records one of them; what it wrote is then copied for each of the others.
    """
    clock = FakeClock((SystemClock().wall_ms() // 60_000 - minutes) * 60_000)
    device, rows = plain_device(NAMES), _rows()
    async with History.open(
        folder, limit_bytes=_LIMIT_BYTES, raw_hours=24, zone=None, clock=clock, board=Board(clock)
    ) as history:
        history.follow(plan_of(device))
        for _ in range(minutes):
            _record_minute(history, device, clock, rows)
            await history.flush()
    with closing(sqlite3.connect(folder / FILE)) as connection, connection:
        _copy(connection)


def _rows() -> list[list[Value]]:
    chance = random.Random(1)
    return [
        [signal(chance, number, second) for count, signal in SIGNALS for number in range(count // _SHARE)]
        for second in range(_ROUND_S)
    ]


def _record_minute(history: History, device: DevicePlan, clock: FakeClock, rows: Sequence[list[Value]]) -> None:
    for _ in range(60):
        history.record(scan_of(device, clock.wall_ms(), rows[clock.wall_ms() // 1000 % _ROUND_S]))
        clock.advance(1)


def _copy(connection: sqlite3.Connection) -> None:
    """Rows of equal time lie together in the end, as if all devices had been recorded."""
    layouts = connection.execute("SELECT id, tags FROM layouts").fetchall()
    others = range(1, DEVICES)
    for other in others:
        connection.execute(
            "INSERT INTO tags SELECT id + ?, ?, name FROM tags WHERE device = '1'", (other * TAGS, str(other + 1))
        )
        connection.executemany(
            "INSERT INTO layouts VALUES (?, ?)",
            [
                (layout + other * len(layouts), json.dumps([each + other * TAGS for each in json.loads(tags)]))
                for layout, tags in layouts
            ],
        )
    steps = {"raw": len(layouts), "slips": len(layouts), "windows": TAGS, "hours": TAGS, "days": TAGS}
    for table, step in steps.items():
        connection.execute("CREATE TEMP TABLE further AS SELECT 0 AS by LIMIT 0")
        connection.executemany("INSERT INTO further VALUES (?)", [(other * step,) for other in others])
        connection.execute(f"INSERT INTO {table} SELECT id + by, body FROM {table}, further ORDER BY 1")  # noqa: S608
        connection.execute("DROP TABLE further")
