"""The wall clock misbehaves under the real process: nothing is lost, held up, or stamped anew."""

import asyncio
import os
import signal
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import cast

import pytest

from collector.clock import iso_utc
from tests.doubles.hall import Hall, modbus_device
from tests.doubles.wall_clock import WallClock

INTERVAL_S = 0.1
TEN_YEARS_S = 315_360_000


def stamp(message: dict[str, object]) -> datetime:
    return datetime.fromisoformat(str(message["timestamp"]))


def unsynced(message: dict[str, object]) -> bool:
    return cast(dict[str, object], message["meta"]).get("clock") == "unsynced"


def steps(hall: Hall) -> list[object]:
    return [event["by_sec"] for event in hall.messages("events") if event["type"] == "clock_step"]


async def started(hall: Hall, clock: WallClock) -> None:
    hall.configure(modbus_device(await hall.plc(), interval_ms=int(INTERVAL_S * 1000)))
    hall.collector.environment = clock.environment
    hall.collector.start()
    await hall.until(lambda: len(hall.messages("data")) > 5, what="data")


async def more(hall: Hall, count: int) -> list[dict[str, object]]:
    before = len(hall.messages("data"))
    await hall.until(lambda: len(hall.messages("data")) >= before + count, what=f"{count} more messages")
    return hall.messages("data")[before:]


async def test_c1_ten_years_ahead_purges_nothing_and_is_marked(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    async with Hall(tmp_path / "edge") as hall:
        await started(hall, clock)
        await hall.proxy.cut()
        hall.broker.kill()
        clock.set_by(TEN_YEARS_S)
        await asyncio.sleep(1)
        clock.set_by(0)
        await hall.outage_ends()
        await hall.until(lambda: len(steps(hall)) == 2, what="both steps")
        await more(hall, 5)
        assert steps(hall) == [pytest.approx(TEN_YEARS_S, abs=1), pytest.approx(-TEN_YEARS_S, abs=1)]
        account = hall.account()
        assert not account.unexplained()
        ahead = [body for body in hall.messages("data") if stamp(body).year > datetime.now(UTC).year + 8]
        assert ahead
        assert all(unsynced(body) for body in ahead)


async def test_c2_an_hour_back_pauses_no_poll_and_repeats_no_time(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    async with Hall(tmp_path / "edge") as hall:
        await started(hall, clock)
        clock.set_by(-3600)
        begun = time.monotonic()
        await more(hall, 20)
        assert time.monotonic() - begun < 20 * INTERVAL_S + 2
        await hall.until(lambda: steps(hall), what="the step")
        bodies = hall.messages("data")
        assert len({body["timestamp"] for body in bodies}) == len(bodies)
        assert [cast(dict[str, object], body["meta"])["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
        assert stamp(bodies[-1]) < stamp(bodies[0])


async def test_c3_a_boot_two_years_ago_is_marked_until_the_time_is_set(tmp_path: Path) -> None:
    clock = WallClock(tmp_path)
    clock.set_by(-2 * 31_536_000)
    async with Hall(tmp_path / "edge", HEARTBEAT_INTERVAL_SEC=1) as hall:
        await started(hall, clock)
        early = hall.messages("data")
        assert all(unsynced(body) for body in early)
        await hall.until(lambda: "clock_unsynced" in str(hall.messages("status")), what="the condition")
        clock.set_by(0)
        await hall.until(lambda: not unsynced(hall.messages("data")[-1]), what="a time that is believed")
        await hall.until(lambda: "clock_unsynced" not in str(hall.messages("status")[-1]), what="the all-clear")
        assert stamp(hall.messages("data")[-1]) - stamp(early[0]) > timedelta(days=700)
        assert not hall.account().unexplained()


@pytest.mark.parametrize("zone", ["UTC", "Asia/Seoul", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_c4_the_wire_knows_no_zone(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        for edge in (1_774_746_000_000, 1_792_890_000_000):  # the hours around Europe's changes of 2026
            moments = [edge + minute * 60_000 for minute in range(-120, 120)]
            texts = [iso_utc(moment) for moment in moments]
            assert [datetime.fromisoformat(text).timestamp() * 1000 for text in texts] == moments
            assert texts == sorted(set(texts))
            assert all(text.endswith("Z") for text in texts)
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_c5_a_pause_of_the_machine_is_one_late_poll_and_no_burst(tmp_path: Path) -> None:
    async with Hall(tmp_path / "edge") as hall:
        await started(hall, WallClock(tmp_path))
        os.kill(hall.collector.pid, signal.SIGSTOP)
        await asyncio.sleep(1.5)
        os.kill(hall.collector.pid, signal.SIGCONT)
        await more(hall, 10)
        stamps = [stamp(body) for body in hall.messages("data")]
        gaps_s = [(later - earlier).total_seconds() for earlier, later in pairwise(stamps)]
        pause = max(range(len(gaps_s)), key=gaps_s.__getitem__)
        assert gaps_s[pause] > 1
        assert stamps[pause + 5] - stamps[pause + 1] > timedelta(seconds=3 * INTERVAL_S)
        assert not hall.account().unexplained()
