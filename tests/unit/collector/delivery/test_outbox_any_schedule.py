"""Whatever happens in whatever order: nothing is lost unnamed, nothing is out of order, the books balance."""

import asyncio
import json
import random
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from unittest import mock

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.delivery.message import Entry, Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from collector.storage.errors import DiskFull, StorageFailed
from collector.storage.outbox_store import FILE_NAME, OutboxStore
from collector.storage.queue_table import ReadableQueue
from collector.storage.records import Applied, Batch, Change
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import EVENTS_TOPIC, mark_buffered, next_entry

Name = tuple[str, int]

Step = tuple[str, int]

AMOUNTS = st.sampled_from([0, 1, 5, 64, 70, 150])
EVENTS = (
    ["lose connection"] * 4 + ["commit"] * 3 + ["refuse", "crash", "restart", "disk full", "disk back", "failed fsync"]
)
DAMAGE = ["damage", "crash and damage", "restart and damage"]


def schedules(events: list[str]) -> st.SearchStrategy[list[Step]]:
    rounds = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(events), st.integers(0, 100))
    return st.lists(rounds, min_size=3, max_size=10).map(lambda found: [step for one in found for step in flat(one)])


def flat(one: tuple[int, int, int, str, int]) -> list[Step]:
    """One round of work, and then something happens."""
    put, send, acknowledge, event, which = one
    return [("put", put), ("send", send), ("acknowledge", acknowledge), (event, which)]


class Model:
    """What a perfect observer knows."""

    def __init__(self) -> None:
        self.recorded: list[Name] = []
        self.unsaved: set[Name] = set()
        self.forgiven: set[Name] = set()
        self.bytes_of: dict[Name, bytes] = {}
        self.first_sent: list[Name] = []
        self.on_this_connection: dict[bool, list[Name]] = {}
        self.acknowledged: set[Name] = set()
        self.named: set[Name] = set()
        self.refused: set[Name] = set()
        self.damaged = 0
        self.unlocated = 0
        """How many were said to be lost without a name; from the first time on that nobody could say, all may be."""

    def sent(self, entry: Entry, young: bool) -> None:
        assert entry.epoch is not None
        assert entry.seq is not None
        name = entry.epoch, entry.seq
        in_order = self.on_this_connection.setdefault(young, [])
        assert self.damaged or not in_order or in_order[-1] < name
        assert self.damaged or name not in self.on_this_connection.get(not young, ())
        in_order.append(name)
        if name not in self.bytes_of:
            self.first_sent.append(name)
        assert self.bytes_of.setdefault(name, entry.payload) == entry.payload

    def heard(self, payload: bytes) -> None:
        event = json.loads(payload)
        if event["type"] == "gap":
            if event["from_seq"] is None or event["to_seq"] is None:
                self.unlocated += 1 << 30 if event["count"] is None else event["count"]
                return
            span = range(event["from_seq"], event["to_seq"] + 1)
            assert event["count"] == len(span) or (event["reason"] == "corrupt" and event["count"] < len(span))
            self.named |= {(event["epoch"], seq) for seq in span}


class Run:
    """One start of the outbox after the other, on what the one before left."""

    def __init__(self, home: Path, limit_bytes: int, live_first: bool) -> None:
        self.home = home
        self.limit_bytes = limit_bytes
        self.live_first = live_first
        self.number = 0
        self.clock = FakeClock()
        self.model = Model()
        self.in_flight: list[Entry] = []
        self.disk = FussyDisk()

    @property
    def folder(self) -> Path:
        return self.home / str(self.number)

    def open(self) -> AbstractAsyncContextManager[Outbox]:
        def letter(kind: str, fields: Mapping[str, object]) -> Message:
            return Message(EVENTS_TOPIC, json.dumps({"type": kind, **fields}).encode())

        self.board = Board(self.clock)
        self.disconnected()
        return Outbox.open(
            self.folder,
            commit_ms=3_600_000,
            limit_bytes=self.limit_bytes,
            clock=self.clock,
            board=self.board,
            mark_buffered=mark_buffered,
            event_letter=letter,
        )

    def disconnected(self) -> None:
        self.in_flight = []
        self.model.on_this_connection = {}

    def connected(self, outbox: Outbox) -> None:
        if self.live_first:
            outbox.let_pass()

    async def step(self, outbox: Outbox, what: str, count: int) -> None:
        if what == "put":
            self.put(outbox, count)
        elif what == "send":
            await self.send(outbox, count)
        elif what == "acknowledge":
            self.acknowledge(outbox, count)
        elif what == "refuse" and self.in_flight:
            self.refuse(outbox, self.in_flight.pop(count % len(self.in_flight)))
        elif what == "commit":
            await outbox.commit()
            if not self.disk.full:
                self.model.unsaved.clear()
        elif what in ("disk full", "disk back"):
            self.disk.full = what == "disk full"
        elif what == "failed fsync":
            self.disk.failing = count % 3  # the third attempt is the last before the clock has to move
        elif what == "damage":
            self.spoil(count)
        elif what == "lose connection":
            outbox.outage()
            self.disconnected()
            self.connected(outbox)
        counts = self.board.buffer
        assert counts.recorded == counts.acknowledged + counts.messages + counts.dropped
        assert counts.messages >= 0

    def spoil(self, seed: int) -> None:
        """Overwrite a page of the file, or of its log, but of the log not the last: nothing could tell of that."""
        self.model.damaged += 1
        chance = random.Random(seed)
        files = [path for name in (FILE_NAME, f"{FILE_NAME}-wal") if (path := self.folder / name).exists()]
        path = chance.choice(files)
        pages = path.stat().st_size // 4096 - (2 if path.name != FILE_NAME else 0)
        if pages > 0:
            with path.open("r+b") as file:
                file.seek(chance.randrange(pages) * 4096)
                file.write(chance.randbytes(4096))

    def put(self, outbox: Outbox, count: int) -> None:
        for _ in range(count):
            self.clock.advance(0.01)
            seq = outbox.next_seq()
            payload = b'{"f":"%s","meta":{"seq":%d}}' % (secrets.token_hex(400).encode(), seq)
            outbox.put(Message("t/data", payload), seq=seq, stamp_ms=self.clock.wall_ms())
            self.model.recorded.append((outbox.epoch, seq))
            self.model.unsaved.add((outbox.epoch, seq))

    async def send(self, outbox: Outbox, count: int) -> None:
        for number in range(count):
            young = outbox.take_young() if self.live_first and (number % 3 or not outbox.backlog) else None
            entry = young or await next_entry(outbox)
            if entry is None and self.live_first:
                entry = young = outbox.take_young()
            if entry is None:
                return
            if entry.is_data:
                self.model.sent(entry, young is entry)
                self.in_flight.append(entry)
            else:
                outbox.acknowledge(entry)
                self.model.heard(entry.payload)

    def acknowledge(self, outbox: Outbox, count: int) -> None:
        for entry in self.in_flight[:count:2] + self.in_flight[1:count:2]:
            outbox.acknowledge(entry)
            self.model.acknowledged.add((str(entry.epoch), int(str(entry.seq))))
        del self.in_flight[:count]

    def refuse(self, outbox: Outbox, entry: Entry) -> None:
        outbox.refuse(entry, "poison")
        self.model.refused.add((str(entry.epoch), int(str(entry.seq))))

    async def finish(self, outbox: Outbox) -> None:
        self.disk.full, self.disk.failing = False, 0
        await outbox.commit()
        outbox.outage()
        self.disconnected()
        for _ in range(3):
            await self.send(outbox, 10_000)
            self.acknowledge(outbox, 10_000)
            await outbox.commit()
        assert outbox.idle
        counts = self.board.buffer
        assert (counts.messages, counts.bytes, counts.oldest_ms) == (0, 0, None)


class FussyDisk:
    """Refuses changes as full, or carries them out and says that it failed, as an fsync may."""

    def __init__(self) -> None:
        self.full = False
        self.failing = 0
        self._failed: set[OutboxStore] = set()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        apply = OutboxStore.apply

        def fussy(store: OutboxStore, data: Change, letters: Change) -> Applied:
            if self.full:
                raise DiskFull("no room")
            confirmed = store.confirmed
            applied = apply(store, data, letters)
            if self.failing:
                self.failing -= 1
                store.confirmed = confirmed
                self._failed.add(store)
                raise StorageFailed("fsync failed")
            return applied

        read = OutboxStore.read

        def unless_failed(store: OutboxStore, queue: ReadableQueue, after: int, limit: int, max_bytes: int) -> Batch:
            # SQLite does not show what it could not commit before the file is opened anew.
            if store in self._failed:
                raise StorageFailed("fsync failed")
            return read(store, queue, after, limit, max_bytes)

        with mock.patch.object(OutboxStore, "apply", fussy), mock.patch.object(OutboxStore, "read", unless_failed):
            yield


async def go_through(home: Path, limit_bytes: int, live_first: bool, schedule: list[Step]) -> Model:
    run = Run(home, limit_bytes, live_first)
    with run.disk.in_use():
        await carry_out(run, home, schedule)
    judge(run.model, in_order=not live_first)
    return run.model


async def carry_out(run: Run, home: Path, schedule: list[Step]) -> None:
    remaining = list(schedule)
    while True:
        async with run.open() as outbox:
            run.connected(outbox)
            while remaining and remaining[0][0].split()[0] not in ("crash", "restart"):
                await run.step(outbox, *remaining.pop(0))
            if not remaining:
                await run.finish(outbox)
                break
            end, seed = remaining.pop(0)
            if end.startswith("crash"):
                shutil.copytree(run.folder, home / str(run.number + 1))
                run.model.forgiven |= run.model.unsaved
            else:
                run.disk.full, run.disk.failing = False, 0
        if end.startswith("restart"):
            run.folder.rename(home / str(run.number + 1))
        run.model.unsaved.clear()
        run.number += 1
        if end.endswith("damage"):
            run.spoil(seed)
        run.clock.advance(1)


def judge(model: Model, *, in_order: bool) -> None:
    recorded = set(model.recorded)
    if model.damaged <= 1:
        # A second damage may hit the letter that names what the first one took.
        assert len(recorded - (model.acknowledged | model.named | model.forgiven | model.refused)) <= model.unlocated
    assert set(model.first_sent) <= recorded
    assert model.damaged or model.named <= recorded
    assert model.damaged or model.refused <= model.named | model.acknowledged | model.forgiven
    place = {name: number for number, name in enumerate(model.recorded)}
    order = [place[name] for name in model.first_sent]
    assert model.damaged or not in_order or order == sorted(order)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=schedules(EVENTS), limit_bytes=st.sampled_from([1 << 30, 150_000]), live_first=st.booleans())
def test_nothing_is_lost_unnamed_in_any_schedule(schedule: list[Step], limit_bytes: int, live_first: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        model = asyncio.run(go_through(Path(home), limit_bytes, live_first, schedule))
    assert not model.unlocated


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(schedule=schedules(EVENTS + DAMAGE), limit_bytes=st.just(1 << 30), live_first=st.booleans())
def test_d8_damage_loses_nothing_unnamed_in_any_schedule(
    schedule: list[Step], limit_bytes: int, live_first: bool
) -> None:
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(go_through(Path(home), limit_bytes, live_first, schedule))
