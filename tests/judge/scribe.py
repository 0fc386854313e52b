"""A process that drives the real outbox until it is killed, and says on its standard output what it did.

``python -m tests.judge.scribe FOLDER FIRST_SAMPLE SEED [--careless] [--drain] [--hoard] [--refuse]``

Lines: ``epoch EPOCH`` · ``made SAMPLE COUNT`` (so many from there on) · ``safe SAMPLE`` (all up to it are committed) ·
``heard EPOCH SEQ SAMPLE DIGEST`` (about to be acknowledged) · ``event {...}`` (likewise) · ``drained``.
`--drain`: record nothing, deliver all that waits, and stop cleanly. `--hoard`: deliver nothing.
`--refuse`: every 23rd sample is refused, whenever it comes.
"""

import argparse
import asyncio
import os
import random
import sqlite3
import zlib
from pathlib import Path

import orjson

from collector.clock import SystemClock, iso_utc
from collector.delivery.message import Entry, Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from fleet_client.events import event_body
from fleet_client.payloads import DataMeta, data_body, mark_buffered

COMMIT_MS = 5
_REFUSED = 23


class CarelessConnection(sqlite3.Connection):
    """The control: a database whose commits are not synced, as those of others are by default."""

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        if sql.casefold().startswith("pragma synchronous"):
            sql = "PRAGMA synchronous = NORMAL"
        return super().execute(sql, parameters)  # type: ignore[arg-type]  # passed on as it came


def be_careless() -> None:
    """From here on every database is opened so."""
    connect = sqlite3.connect

    def careless(*arguments: object, **options: object) -> sqlite3.Connection:
        return connect(*arguments, factory=CarelessConnection, **options)  # type: ignore[call-overload,no-any-return]

    sqlite3.connect = careless  # type: ignore[assignment]  # its many overloads


def say(line: str) -> None:
    """In one piece, for the process may be killed at any moment."""
    os.write(1, f"{line}\n".encode())


class Scribe:
    """Records and delivers in an order that only the seed knows."""

    def __init__(
        self, outbox: Outbox, board: Board, sample: int, chance: random.Random, *, hoards: bool, refuses: bool
    ) -> None:
        self._outbox = outbox
        self._board = board
        self._sample = sample
        self._chance = chance
        self._hoards = hoards
        self._refuses = refuses
        self._clock = SystemClock()

    async def work(self) -> None:
        """Until killed."""
        deeds = ("commit", "lose the broker", "wait") + (() if self._hoards else ("deliver", "deliver"))
        while True:
            self._record(self._chance.randint(1, 40))
            match self._chance.choice(deeds):
                case "commit":
                    await self._commit()
                case "deliver":
                    if self._refuses:
                        await self._commit()  # what dies in memory can not be named as refused
                    self._deliver(self._chance.randint(1, 90))
                case "lose the broker":
                    self._outbox.outage()
                case "wait":
                    await asyncio.sleep(self._chance.uniform(0, 3 * COMMIT_MS / 1000))
            await asyncio.sleep(0)

    async def drain(self) -> None:
        """Until nothing waits."""
        available = asyncio.Event()
        self._outbox.on_available = available.set
        while True:
            available.clear()
            if self._outbox.idle:
                await self._outbox.commit()  # which may leave a letter about what was refused
                if self._outbox.idle:
                    break
            if not self._deliver(1000) and not self._outbox.idle:
                await available.wait()
        say("drained")

    def _record(self, count: int) -> None:
        say(f"made {self._sample} {count}")
        for _ in range(count):
            seq, stamp_ms = self._outbox.next_seq(), self._clock.wall_ms()
            tags = {"sample": self._sample, "noise": self._chance.randbytes(60).hex()}
            body = data_body(iso_utc(stamp_ms), None, 1, tags, DataMeta(self._outbox.epoch, seq))
            self._outbox.put(Message("vexplor/devices/judge/data", body), seq=seq, stamp_ms=stamp_ms)
            self._sample += 1

    async def _commit(self) -> None:
        last = self._sample - 1
        await self._outbox.commit()
        if not any(condition.startswith("storage") for condition in self._board.conditions):
            say(f"safe {last}")

    def _deliver(self, count: int) -> int:
        for done in range(count):
            entry = self._outbox.take()
            if entry is None:
                return done
            if self._refuses and entry.is_data and sample_of(entry) % _REFUSED == 0:
                self._outbox.refuse(entry, "the scribe never takes such")
                continue
            say(_heard(entry))
            self._outbox.acknowledge(entry)
        return count


def sample_of(entry: Entry) -> int:
    """The sample that a data message brings."""
    return int(orjson.loads(entry.payload)["tags"]["sample"])


def _heard(entry: Entry) -> str:
    if not entry.is_data:
        return f"event {entry.payload.decode()}"
    return f"heard {entry.epoch} {entry.seq} {sample_of(entry)} {zlib.crc32(entry.payload)}"


async def main(options: argparse.Namespace) -> None:
    """Work or drain."""
    clock = SystemClock()
    board = Board(clock)
    async with Outbox.open(
        options.folder / "outbox",
        commit_ms=COMMIT_MS,
        limit_bytes=options.limit_bytes,
        clock=clock,
        board=board,
        mark_buffered=mark_buffered,
        event_letter=lambda kind, fields: Message(
            "vexplor/devices/judge/events", event_body(kind, iso_utc(clock.wall_ms()), fields)
        ),
    ) as outbox:
        say(f"epoch {outbox.epoch}")
        outbox.announce_start()
        scribe = Scribe(
            outbox, board, options.sample, random.Random(options.seed), hoards=options.hoard, refuses=options.refuse
        )
        await (scribe.drain() if options.drain else scribe.work())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("sample", type=int)
    parser.add_argument("seed", type=int)
    parser.add_argument("--careless", action="store_true")
    parser.add_argument("--drain", action="store_true")
    parser.add_argument("--hoard", action="store_true")
    parser.add_argument("--refuse", action="store_true")
    parser.add_argument("--limit-bytes", type=int, default=1 << 30)
    return parser.parse_args()


if __name__ == "__main__":
    told = _options()
    if told.careless:
        be_careless()
    asyncio.run(main(told))
