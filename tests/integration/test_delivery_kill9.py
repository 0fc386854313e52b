"""kill -9 at any moment loses nothing that was committed."""

import asyncio
import random
import signal
import sys
import time
from pathlib import Path

from collector.clock import SystemClock
from collector.delivery.outbox import Outbox
from collector.status.board import Board

CYCLES = 12


async def run_and_kill(folder: Path, after_s: float) -> list[list[str]]:
    """What the child said before it was killed."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.doubles.outbox_child", str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    first = await child.stdout.readline()
    await asyncio.sleep(after_s)
    child.send_signal(signal.SIGKILL)
    rest = await child.stdout.read()
    await child.wait()
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


async def test_what_was_committed_is_there_after_kill_9(tmp_path: Path) -> None:
    chance = random.Random(20_260_417)
    safe: set[tuple[str, int]] = set()
    done: set[tuple[str, int]] = set()
    folder = tmp_path / "outbox"
    for _ in range(CYCLES):
        epoch = ""
        for word, *rest in await run_and_kill(folder, chance.uniform(0.02, 0.25)):
            if word == "begin":
                epoch = rest[0]
            elif word == "safe":
                safe |= {(epoch, seq) for seq in range(1, int(rest[0]) + 1)}
            elif word == "done":
                done.add((rest[0], int(rest[1])))
    began = time.monotonic()
    found = await left_behind(folder)
    assert time.monotonic() - began < 10
    assert len(safe) > 1000
    assert safe - done <= set(found)
    assert len(found) == len(set(found))
    assert found == sorted(found)
