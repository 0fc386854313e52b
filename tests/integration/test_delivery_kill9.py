"""kill -9 at any moment loses nothing that was committed."""

import asyncio
import os
import random
import signal
import sys
import time
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.crashpoint import CrashPoint
from collector.delivery.outbox import Outbox
from collector.status.board import Board

CYCLES = 12
POINTS = [
    CrashPoint.READ_NO_COMMIT, CrashPoint.IN_COMMIT, CrashPoint.COMMITTED_UNSENT, CrashPoint.SENT_UNACKED,
    CrashPoint.ACKED_UNDELETED, CrashPoint.IN_DELETE, CrashPoint.IN_CHECKPOINT, CrashPoint.IN_DEAD_LETTER_MOVE,
]  # fmt: skip


async def run_and_kill(folder: Path, after_s: float, crash_point: str = "") -> list[list[str]]:
    """What the child said before it was killed, or died at a crash point."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.doubles.outbox_child", str(folder)),
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"CRASHPOINT": crash_point},
    )
    assert child.stdout is not None
    first = await child.stdout.readline()
    if not crash_point:
        await asyncio.sleep(after_s)
        child.send_signal(signal.SIGKILL)
    async with asyncio.timeout(20):
        rest = await child.stdout.read()
        assert await child.wait() == (137 if crash_point else -signal.SIGKILL)
    return [line.split() for line in (first + rest).decode().splitlines()]


async def left_behind(folder: Path) -> list[tuple[str, int]]:
    """What the outbox would still send, in its order; it is left as it is."""
    clock = SystemClock()
    available = asyncio.Event()
    async with Outbox.open(
        folder,
        commit_ms=60_000,
        limit_bytes=1 << 30,
        clock=clock,
        board=Board(clock),
        mark_buffered=lambda payload: payload,
        event_letter=lambda _kind, _fields: None,
    ) as outbox:
        outbox.on_available = available.set
        found = []
        while True:
            available.clear()
            entry = outbox.take()
            if entry is not None:
                epoch, seq, body = entry.payload.decode().split(":")
                assert (epoch, int(seq)) == (entry.epoch, entry.seq)
                assert len(body.rstrip("!")) == 200
                found.append((epoch, int(seq)))
            elif not outbox.rests_on_disk:
                return found
            else:
                async with asyncio.timeout(10):
                    await available.wait()


async def test_d1_what_was_committed_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20_260_417)
    await check_cycles(tmp_path / "outbox", [(chance.uniform(0.02, 0.25), "") for _ in range(CYCLES)])


@pytest.mark.parametrize("point", POINTS)
async def test_d3_what_was_committed_is_there_after_a_crash_at_a_named_point(point: CrashPoint, tmp_path: Path) -> None:
    often = {CrashPoint.READ_NO_COMMIT: (100, 210), CrashPoint.SENT_UNACKED: (7, 44), CrashPoint.IN_CHECKPOINT: (1, 2)}
    await check_cycles(tmp_path / "outbox", [(0, f"{point}:{number}") for number in often.get(point, (1, 2, 15))])


async def check_cycles(folder: Path, deaths: list[tuple[float, str]]) -> None:
    """Let the child die in each of these ways, after so many seconds or at a crash point, and look at what it left."""
    safe: set[tuple[str, int]] = set()
    done: set[tuple[str, int]] = set()
    for after_s, crash_point in deaths:
        epoch = ""
        for word, *rest in await run_and_kill(folder, after_s, crash_point):
            if word == "begin":
                epoch = rest[0]
            elif word == "safe":
                safe |= {(epoch, seq) for seq in range(1, int(rest[0]) + 1)}
            elif word == "done":
                done.add((rest[0], int(rest[1])))
    began = time.monotonic()
    found = await left_behind(folder)
    assert time.monotonic() - began < 10
    assert len(safe) > (1000 if not deaths[0][1] else 0)
    assert safe - done <= set(found)
    assert len(found) == len(set(found))
    assert found == sorted(found)
