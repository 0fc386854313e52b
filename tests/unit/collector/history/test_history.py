"""The history as a whole: what is written when, what survives, what it answers, and what goes first."""

import asyncio
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from zoneinfo import ZoneInfo

import pytest

from collector.config.plan import DevicePlan
from collector.history import recorder
from collector.history.history import History
from collector.history.series import finest_resolution_s
from collector.status.board import Board
from collector.storage.errors import StorageFailed
from collector.storage.history_store import HistoryStore
from tests.doubles.clock import FakeClock
from tests.doubles.plans import plan_of
from tests.doubles.scans import plain_device, scan_of

FOREVER = 1 << 43
DAY_MS = 86_400_000
MB = 1 << 20


@asynccontextmanager
async def opened(
    folder: Path,
    clock: FakeClock,
    *,
    limit_mb: int = 64,
    raw_hours: int = 24,
    days: int = 7,
    device: DevicePlan | None = None,
    board: Board | None = None,
) -> AsyncIterator[History]:
    async with History.open(
        folder,
        limit_bytes=limit_mb * MB,
        raw_hours=raw_hours,
        zone=ZoneInfo("Asia/Seoul"),
        clock=clock,
        board=board or Board(clock),
    ) as history:
        history.follow(replace(plan_of(*([device] if device else [])), local_retention_days=days))
        yield history


def record_minute(history: History, device: DevicePlan, clock: FakeClock, value: float = 25.5) -> None:
    for second in range(60):
        history.record(scan_of(device, clock.wall_ms(), [value + second / 10] * len(device.names)))
        clock.advance(1)


async def test_the_tiers_keep_what_they_say_over_400_days(tmp_path: Path) -> None:
    """Retention is 5 days; a device is read every six hours, which is as much as the tiers need to be told apart."""
    clock, device = FakeClock(1_776_351_600_000), plain_device(["a"], interval_ms=6 * 3_600_000)  # midnight in Seoul
    begun = clock.wall_ms()
    async with opened(tmp_path, clock, limit_mb=4, days=5, device=device) as history:
        for day in range(400):
            for hour in (0, 6, 12, 18):
                history.record(scan_of(device, clock.wall_ms(), [day + hour / 100]))
                clock.advance(6 * 3600)
            await history.flush()
        now = clock.wall_ms()
        depth = await history.depth()
        files = sum(file.stat().st_size for file in tmp_path.iterdir())
        days = await history.aggregate("1", "a", 0, FOREVER, per="day")
        hours = await history.series("1", "a", now - 30 * DAY_MS, FOREVER, resolution_s=3600)
        raw = await history.series("1", "a", 0, FOREVER, resolution_s=0)
    kept = (depth.raw_since_ms, depth.windows_since_ms, depth.hours_since_ms, depth.days_since_ms)
    assert [round((now - since) / DAY_MS) for since in kept if since is not None] == [5, 5, 30, 366]
    assert (len(days.start_ms), set(days.count)) == (366, {4})
    assert (days.maximum[-1], days.minimum[-1], days.last[-1]) == (399.18, 399.0, 399.18)
    assert days.start_ms[-1] == begun + 399 * DAY_MS
    assert (len(hours.start_ms), len(raw.start_ms)) == (120, 20)
    assert files < 4 * MB


async def test_at_the_limit_the_finest_and_oldest_goes_first(tmp_path: Path) -> None:
    clock = FakeClock()
    device, board, noise = plain_device([f"t{n}" for n in range(32)]), Board(FakeClock()), random.Random(1)
    async with opened(tmp_path, clock, limit_mb=2, device=device, board=board) as history:
        for _ in range(150):
            history.record(scan_of(device, clock.wall_ms(), [noise.random() for _ in range(32)]))
            for _ in range(14):
                clock.advance(60)
                history.record(scan_of(device, clock.wall_ms(), [noise.random() for _ in range(32)]))
            clock.advance(60)
            await history.flush()
            assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * MB
        depth = await history.depth()
        begun = clock.wall_ms() - 150 * 15 * 60_000
        assert depth.raw_since_ms is not None
        assert depth.raw_since_ms > begun + 3_600_000
        assert depth.hours_since_ms == depth.days_since_ms == begun
        assert depth.bytes < depth.limit_bytes == 2 * MB
        whole = await history.aggregate("1", "t0", 0, FOREVER, per="day")
        assert sum(whole.count) == 150 * 15
    assert "raise HISTORY_MAX_MB" in board.conditions["history_short"].detail


async def test_a_smaller_limit_shrinks_the_file(tmp_path: Path) -> None:
    clock, device, noise = FakeClock(), plain_device([f"t{n}" for n in range(400)]), random.Random(1)
    async with opened(tmp_path, clock, device=device) as history:
        for _ in range(20):
            for _ in range(60):
                history.record(scan_of(device, clock.wall_ms(), [noise.random() for _ in range(400)]))
                clock.advance(1)
            await history.flush()
    assert (tmp_path / "history.db").stat().st_size > 3 * MB
    async with opened(tmp_path, clock, limit_mb=2, device=device) as history:
        await history.flush()
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 2 * MB
        assert (await history.depth()).raw_since_ms is not None


async def test_c1_a_clock_ten_years_ahead_costs_nothing(tmp_path: Path) -> None:
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(tmp_path, clock, device=device) as history:
        for step_s in (0, 315_360_000, -315_360_000):
            clock.step_wall(step_s)
            record_minute(history, device, clock)
            clock.advance(7200)
            await history.flush()
        for resolution_s in (0, 60, 3600, 86_400):
            series = await history.series("1", "a", 0, FOREVER, resolution_s=resolution_s)
            assert sum(series.count) == 180


async def test_auto_gives_the_finest_that_fits(tmp_path: Path) -> None:
    clock, device = FakeClock(), plain_device(["a"])
    start = clock.wall_ms()
    async with opened(tmp_path, clock, device=device) as history:
        for _ in range(60):
            record_minute(history, device, clock)
            await history.flush()
        end = clock.wall_ms()
        raw = await history.series("1", "a", end - 1_800_000, end)
        assert (raw.resolution_s, len(raw.start_ms), raw.maximum == raw.first) == (0, 1800, True)
        assert (await history.series("1", "a", start, end)).resolution_s == 60
        few = await history.series("1", "a", start, end, max_points=20)
        assert (few.resolution_s, len(few.start_ms)) == (240, 15)
        assert set(few.good_share) == {1.0}


async def test_auto_on_a_fresh_gateway_is_as_fine_as_what_there_is(tmp_path: Path) -> None:
    """However long a stretch is asked for, what was not recorded has no points."""
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(tmp_path, clock, device=device) as history:
        for minutes in range(1, 34):
            record_minute(history, device, clock)  # the first one is not yet written when it is asked for
            (total,) = await history.totals("1", ["a"], clock.wall_ms() - DAY_MS, clock.wall_ms())
            assert (total.summary.counted, total.good_share) == (60 * minutes, 1.0)
            for days in (1, 7, 300):
                series = await history.series("1", "a", clock.wall_ms() - days * DAY_MS, clock.wall_ms())
                assert (series.resolution_s, len(series.start_ms)) == (0, 60 * minutes)
            if minutes > 2:
                await history.flush()
        record_minute(history, device, clock)
        week = await history.series("1", "a", clock.wall_ms() - 7 * DAY_MS, clock.wall_ms())
        assert (week.resolution_s, len(week.start_ms)) == (60, 34)


@pytest.mark.parametrize("window_s", [1, 60, 100, 900, 7200, 86_400])
def test_auto_keeps_to_the_most_points(window_s: int) -> None:
    for hours in (1, 24, 7 * 24, 30 * 24, 366 * 24):
        resolution_s = finest_resolution_s(hours * 3_600_000, window_s, 2_000)
        assert hours * 3_600 / resolution_s + 1 <= 2_000
        assert resolution_s >= window_s


async def test_what_is_not_written_yet_is_read_all_the_same_and_once(tmp_path: Path) -> None:
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(tmp_path, clock, device=device) as history:
        record_minute(history, device, clock)
        flushing = asyncio.ensure_future(history.flush())
        record_minute(history, device, clock)
        for _ in range(20):
            series = await history.series("1", "a", 0, FOREVER, resolution_s=0)
            windows = await history.series("1", "a", 0, FOREVER, resolution_s=60)
            assert (len(series.start_ms), sum(windows.count)) == (120, 120)
        await flushing


async def test_many_values_are_written_before_the_minute_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "VALUES_A_BATCH", 20_000)
    clock, device = FakeClock(), plain_device([f"t{n}" for n in range(1000)])
    async with opened(tmp_path, clock, device=device) as history:
        for _ in range(20):
            history.record(scan_of(device, clock.wall_ms(), [1] * 1000))
            clock.advance(0.01)
        async with asyncio.timeout(50):
            while (await history.depth()).raw_since_ms is None:
                await asyncio.sleep(0.01)


async def test_raw_hours_zero_keeps_windows_alone(tmp_path: Path) -> None:
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(tmp_path, clock, raw_hours=0, device=device) as history:
        record_minute(history, device, clock)
        await history.flush()
        assert (await history.depth()).raw_since_ms is None
        assert (await history.series("1", "a", 0, FOREVER)).count == [60]


async def test_a_changed_tag_list_and_two_intervals(tmp_path: Path) -> None:
    """Tags move from sheet to sheet; the slow one is in every tenth scan."""
    clock, device = FakeClock(), plain_device(["fast", "slow", "gone"])
    async with opened(tmp_path, clock, device=device) as history:
        for second in range(60):
            names = ("fast", "slow", "gone") if second % 10 == 0 else ("fast",)
            history.record(
                replace(scan_of(device, clock.wall_ms(), [second] * 3), names=names, values=[second] * len(names))
            )
            clock.advance(1)
        await history.flush()
        other = plain_device(["new", "slow"])
        history.record(scan_of(other, clock.wall_ms(), [7, 60]))
        await history.flush()
        answers = {
            tag: await history.series("1", tag, 0, FOREVER, resolution_s=0) for tag in ("fast", "slow", "gone", "new")
        }
    assert answers["fast"].first == list(range(60))
    assert answers["slow"].first == [0, 10, 20, 30, 40, 50, 60]
    assert (answers["gone"].first, answers["new"].first) == ([0, 10, 20, 30, 40, 50], [7])


CRASH = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.collector.history.test_history import FakeClock, opened, plain_device, record_minute

async def main():
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(Path(sys.argv[1]), clock, device=device) as history:
        for _ in range(3):
            record_minute(history, device, clock)
            await history.flush()
        record_minute(history, device, clock)
        os._exit(9)

asyncio.run(main())
"""


async def test_d1_a_kill_costs_the_minute_that_was_not_written(tmp_path: Path) -> None:
    done = await asyncio.create_subprocess_exec(sys.executable, "-c", CRASH, tmp_path)
    assert await done.wait() == 9
    async with opened(tmp_path, FakeClock()) as history:
        assert len((await history.series("1", "a", 0, FOREVER, resolution_s=0)).start_ms) == 180
        assert sum((await history.aggregate("1", "a", 0, FOREVER)).count) == 180


@pytest.mark.parametrize("content", [b"", b"garbage" * 5_000, None])
async def test_d7_a_damaged_file_is_set_aside(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "history.db"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    clock, device = FakeClock(), plain_device(["a"])
    async with opened(tmp_path, clock, device=device) as history:
        record_minute(history, device, clock)
        await history.flush()
        assert len((await history.series("1", "a", 0, FOREVER)).start_ms) == 60
    assert (tmp_path / "history.db.damaged-1").exists() is (content != b"")


async def test_d8_damaged_while_running(tmp_path: Path) -> None:
    clock, device, board = FakeClock(), plain_device(["a"]), Board(FakeClock())
    async with opened(tmp_path, clock, device=device, board=board) as history:
        for _ in range(3):
            record_minute(history, device, clock)
            await history.flush()
        with (tmp_path / "history.db").open("r+b") as file:
            file.write(b"\xff" * file.seek(0, 2))
        with (tmp_path / "history.db-wal").open("r+b") as file:
            file.write(b"\xff" * file.seek(0, 2))
        for _ in range(3):
            record_minute(history, device, clock)
            await history.flush()
        assert "history_degraded" not in board.conditions
        series = await history.series("1", "a", clock.wall_ms() - 60_000, FOREVER)
        assert len(series.start_ms) == 60


async def test_without_a_disk_it_waits_and_heals(tmp_path: Path) -> None:
    folder = tmp_path / "history"
    clock, device, board = FakeClock(), plain_device(["a"]), Board(FakeClock())
    async with opened(folder, clock, device=device, board=board) as history:
        record_minute(history, device, clock)
        await history.flush()
        await history._recorder._thread.submit(history._vault.close)
        folder.rename(tmp_path / "elsewhere")
        folder.write_text("in the way")
        record_minute(history, device, clock)
        await history.flush()
        assert "history_degraded" in board.conditions
        with pytest.raises(StorageFailed):
            await history.depth()
        folder.unlink()
        (tmp_path / "elsewhere").rename(folder)
        await history.flush()
        assert "history_degraded" not in board.conditions
        assert len((await history.series("1", "a", 0, FOREVER, resolution_s=0)).start_ms) == 120


async def test_d4_a_disk_that_is_full_while_an_hour_is_sealed(tmp_path: Path) -> None:
    clock, device, board = FakeClock(), plain_device([f"t{n}" for n in range(200)]), Board(FakeClock())

    async def pragma(text: str) -> int:
        store = history._vault._store
        assert store is not None
        return int((await history._recorder._thread.submit(lambda: store._rows(f"PRAGMA {text}")))[0][0])

    async with opened(tmp_path, clock, device=device, board=board) as history:
        record_minute(history, device, clock)
        await history.flush()
        clock.advance(3600)
        await pragma(f"max_page_count = {await pragma('page_count')}")
        await history.flush()
        assert "SQLITE_FULL" in board.conditions["history_degraded"].detail
        await pragma("max_page_count = 16384")
        record_minute(history, device, clock)
        await history.flush()
        assert "history_degraded" not in board.conditions
        assert sum((await history.aggregate("1", "t199", 0, FOREVER)).count) == 120


async def test_d11_a_million_rows_are_forgotten_in_short_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, device = FakeClock(), plain_device(["a"])
    store = HistoryStore(tmp_path / "history.db", 1 << 30)
    store._connection.execute(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999) "
        "INSERT INTO raw SELECT (1 << 20) + i, zeroblob(40) FROM n"
    )
    store._connection.execute("INSERT INTO batches VALUES (1, 0, 0, 0), (2, 0, 0, 900000000)")
    store.close()
    wal, logs, took = tmp_path / "history.db-wal", [0], [0.0]
    forget = HistoryStore.forget

    def timed(self: HistoryStore, table: str, numbers: range, rows: int) -> int:
        begun = time.monotonic()
        gone = forget(self, table, numbers, rows)
        took.append(time.monotonic() - begun)
        logs.append(wal.stat().st_size)
        return gone

    monkeypatch.setattr(HistoryStore, "forget", timed)
    async with opened(tmp_path, clock, limit_mb=512, device=device) as history:
        await history.flush()
        assert (await history.depth()).raw_since_ms is None
    assert len(took) > 100
    assert quantiles(took, n=100)[94] <= 0.05
    assert max(logs) < 64 * MB
