"""A process with an outbox on a disk that fails it; each scenario asserts what it sees and ends with status 0.

``python -m tests.doubles.outbox_on_bad_disk SCENARIO FOLDER``: the folder is a small tmpfs, or the process is preloaded
with `disk_faults.c`.
"""

import asyncio
import errno
import json
import os
import resource
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from tests.doubles.clock import FakeClock

Letter = dict[str, object]


class Rig:
    """An outbox whose keeper works when it is told to, and what a broker would know."""

    def __init__(self, folder: Path, limit_bytes: int = 16 << 20) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes
        self.clock = FakeClock()
        self.recorded: set[tuple[str, int]] = set()
        self.delivered: set[tuple[str, int]] = set()
        self.letters: list[Letter] = []

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Outbox]:
        def letter(kind: str, fields: Mapping[str, object]) -> Message:
            return Message("t/events", json.dumps({"type": kind, **fields}).encode())

        self.board = Board(self.clock)
        async with Outbox.open(
            self.folder / "outbox",
            commit_ms=3_600_000,
            limit_bytes=self.limit_bytes,
            clock=self.clock,
            board=self.board,
            mark_buffered=lambda payload: payload,
            event_letter=letter,
        ) as self.outbox:
            yield self.outbox
            counts = self.board.buffer
            assert counts.recorded == counts.acknowledged + counts.messages + counts.dropped

    async def record(self, messages: int, size: int = 1000) -> None:
        for _ in range(messages):
            seq = self.outbox.next_seq()
            self.recorded.add((self.outbox.epoch, seq))
            self.outbox.put(Message("t/data", secrets.token_bytes(size)), seq=seq, stamp_ms=self.clock.wall_ms())
        await self.outbox.commit()

    async def deliver_all(self) -> None:
        available = asyncio.Event()
        self.outbox.on_available = available.set
        while not self.outbox.idle:
            available.clear()
            while (entry := self.outbox.take()) is not None:
                if entry.epoch is None or entry.seq is None:
                    self.letters.append(json.loads(entry.payload))
                else:
                    assert (entry.epoch, entry.seq) not in self.delivered
                    self.delivered.add((entry.epoch, entry.seq))
                self.outbox.acknowledge(entry)
            if self.outbox.rests_on_disk:
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await available.wait()
            await self.outbox.commit()

    def judge(self, *reasons: str) -> None:
        """Everything was delivered or is named, by one of these reasons."""
        named: set[tuple[str, int]] = set()
        for gap in self.letters:
            if gap["type"] == "gap":
                assert gap["reason"] in reasons, gap
                first, last = int(str(gap["from_seq"])), int(str(gap["to_seq"]))
                named |= {(str(gap["epoch"]), seq) for seq in range(first, last + 1)}
        assert self.recorded == self.delivered | named, (len(self.recorded), len(self.delivered), len(named))
        assert not self.delivered & named
        assert bool(named) == bool(reasons)

    def condition(self) -> str | None:
        return next((code for code in self.board.conditions if code.startswith("storage_")), None)


@contextmanager
def filler(folder: Path):  # type: ignore[no-untyped-def]
    """Somebody else fills the disk."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    with path.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


async def full_disk(rig: Rig) -> None:
    async with rig.running() as outbox:
        await rig.record(3000)
        assert (rig.folder / "outbox" / "ballast").stat().st_size == rig.limit_bytes // 20
        with filler(rig.folder):
            for _ in range(20):
                await rig.record(300)
                outbox.take()
                rig.clock.advance(6)
            assert rig.condition() == "storage_degraded"
            assert not (rig.folder / "outbox" / "ballast").exists()
        rig.clock.advance(6)
        await rig.record(10)
        await outbox.commit()
        assert rig.condition() is None, rig.board.conditions
        assert (rig.folder / "outbox" / "ballast").exists()
        outbox.rewind()
        await rig.deliver_all()
    rig.judge("storage", "limit")


async def full_from_the_start(rig: Rig) -> None:
    with filler(rig.folder):
        async with rig.running():
            await rig.record(12_000, size=100)
            assert rig.condition() == "storage_degraded"
            assert rig.board.buffer.messages == 10_000
            for number in range(3_000):
                rig.outbox.put_letter(Message("t/events", json.dumps({"type": "device", "n": number}).encode()))
            (rig.folder / "filler").unlink()
            rig.clock.advance(6)
            await rig.outbox.commit()
            assert rig.condition() is None, rig.board.conditions
            await rig.deliver_all()
    rig.judge("storage")
    assert [letter["n"] for letter in rig.letters if letter["type"] == "device"] == list(range(2_000, 3_000))


async def file_size_limit(rig: Rig) -> None:
    async with rig.running() as outbox:
        await rig.record(500)
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
        for _ in range(10):
            await rig.record(300)
            rig.clock.advance(6)
        assert rig.condition() == "storage_degraded"
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        rig.clock.advance(6)
        await outbox.commit()
        assert rig.condition() is None, rig.board.conditions
        await rig.deliver_all()
    rig.judge()


def remount(folder: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(folder)], check=True)


async def read_only_at_start(rig: Rig) -> None:
    async with rig.running():
        await rig.record(50)
    remount(rig.folder, "ro")
    async with rig.running() as outbox:
        await rig.record(100)
        assert rig.condition() == "storage_readonly"
        remount(rig.folder, "rw")
        rig.clock.advance(61)
        await outbox.commit()
        assert rig.condition() is None
        await rig.deliver_all()
    rig.judge()


async def read_only_later(rig: Rig) -> None:
    async with rig.running() as outbox:
        await rig.record(50)
        faults(pwrite=errno.EROFS)
        await rig.record(100)
        assert rig.condition() in ("storage_degraded", "storage_readonly")
        faults()
        rig.clock.advance(61)
        await outbox.commit()
        assert rig.condition() is None
        await rig.deliver_all()
    rig.judge()


def faults(delay_ms: int = 0, fsync: int = 0, pwrite: int = 0) -> None:
    Path(os.environ["DISK_FAULTS"]).write_text(f"{delay_ms} {fsync} {pwrite}")


async def fsync_fails(rig: Rig) -> None:
    """For a moment, and for longer; what failed is there once and not twice."""
    async with rig.running() as outbox:
        await rig.record(50)
        loop = asyncio.get_running_loop()
        for number in range(12):
            faults(fsync=errno.EIO)
            over = loop.call_later(0.002 * number, faults)
            await rig.record(20)
            over.cancel()
            outbox.take()
            rig.clock.advance(6)
        faults(fsync=errno.EIO)
        await rig.record(20)
        assert rig.condition() == "storage_degraded"
        faults()
        rig.clock.advance(6)
        await outbox.commit()
        assert rig.condition() is None
    async with rig.running():
        await rig.deliver_all()
    rig.judge()


async def fsync_fails_while_deleting_and_purging(rig: Rig) -> None:
    rig.limit_bytes = 1 << 20
    async with rig.running() as outbox:
        loop = asyncio.get_running_loop()
        for number in range(30):
            faults(fsync=errno.EIO)
            loop.call_later(0.002 * (number % 8), faults)
            await rig.record(100)
            for _ in range(20):
                entry = outbox.take()
                if entry is not None and entry.epoch is not None and entry.seq is not None:
                    rig.delivered.add((entry.epoch, entry.seq))
                    outbox.acknowledge(entry)
                elif entry is not None:
                    rig.letters.append(json.loads(entry.payload))
                    outbox.acknowledge(entry)
            rig.clock.advance(6)
        faults()
        rig.clock.advance(6)
        await rig.deliver_all()
    rig.judge("limit")


async def slow_fsync(rig: Rig) -> None:
    """The loop is never held up by the disk: by the least of five rounds, for others may hold up the machine."""
    longest_s = 0.0

    async def watch() -> None:
        nonlocal longest_s
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            longest_s = max(longest_s, time.perf_counter() - before - 0.005)

    async with asyncio.TaskGroup() as tasks, rig.running():
        watching = tasks.create_task(watch())
        faults(delay_ms=500)
        rounds = []
        for _ in range(5):
            longest_s = 0.0
            await rig.record(50)
            rounds.append(longest_s)
        await rig.deliver_all()
        faults()
        watching.cancel()
    print(f"500 ms a sync: the event loop was held up for {min(rounds) * 1000:.0f} to {max(rounds) * 1000:.0f} ms")
    assert min(rounds) < 0.05, rounds
    rig.judge()


SCENARIOS: dict[str, Callable[[Rig], Awaitable[None]]] = {
    scenario.__name__: scenario
    for scenario in (
        full_disk, full_from_the_start, file_size_limit, read_only_at_start, read_only_later, fsync_fails,
        fsync_fails_while_deleting_and_purging, slow_fsync,
    )
}  # fmt: skip

if __name__ == "__main__":
    asyncio.run(SCENARIOS[sys.argv[1]](Rig(Path(sys.argv[2]))))  # type: ignore[arg-type]
