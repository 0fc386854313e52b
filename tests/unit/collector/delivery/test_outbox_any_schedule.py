"""Whatever happens in whatever order: nothing is lost unnamed, nothing is out of order, the books balance."""

import asyncio
import json
import secrets
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.delivery.message import Entry, Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import EVENTS_TOPIC, mark_buffered, next_entry

Name = tuple[str, int]

Step = tuple[str, int]

AMOUNTS = st.sampled_from([0, 1, 5, 64, 70, 150])
EVENTS = ["lose connection"] * 4 + ["commit"] * 3 + ["refuse", "crash", "restart"]
rounds = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, st.sampled_from(EVENTS), st.integers(0, 100))
steps = st.lists(rounds, min_size=3, max_size=10).map(lambda found: [step for one in found for step in flat(one)])


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

    def sent(self, entry: Entry, young: bool) -> None:
        assert entry.epoch is not None
        assert entry.seq is not None
        name = entry.epoch, entry.seq
        in_order = self.on_this_connection.setdefault(young, [])
        assert not in_order or in_order[-1] < name
        assert name not in self.on_this_connection.get(not young, ())
        in_order.append(name)
        if name not in self.bytes_of:
            self.first_sent.append(name)
        assert self.bytes_of.setdefault(name, entry.payload) == entry.payload

    def heard(self, payload: bytes) -> None:
        event = json.loads(payload)
        if event["type"] == "gap":
            span = range(event["from_seq"], event["to_seq"] + 1)
            assert event["count"] == len(span)
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
            self.model.unsaved.clear()
        elif what == "lose connection":
            outbox.outage()
            self.disconnected()
            self.connected(outbox)
        counts = self.board.buffer
        assert counts.recorded == counts.acknowledged + counts.messages + counts.dropped
        assert counts.messages >= 0

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
        outbox.outage()
        self.disconnected()
        for _ in range(3):
            await self.send(outbox, 10_000)
            self.acknowledge(outbox, 10_000)
            await outbox.commit()
        assert outbox.idle
        counts = self.board.buffer
        assert (counts.messages, counts.bytes, counts.oldest_ms) == (0, 0, None)


async def go_through(home: Path, limit_bytes: int, live_first: bool, schedule: list[Step]) -> None:
    run = Run(home, limit_bytes, live_first)
    remaining = list(schedule)
    while True:
        async with run.open() as outbox:
            run.connected(outbox)
            while remaining and remaining[0][0] not in ("crash", "restart"):
                await run.step(outbox, *remaining.pop(0))
            if not remaining:
                await run.finish(outbox)
                break
            end, _ = remaining.pop(0)
            if end == "crash":
                shutil.copytree(run.folder, home / str(run.number + 1))
                run.model.forgiven |= run.model.unsaved
        if end == "restart":
            run.folder.rename(home / str(run.number + 1))
        run.model.unsaved.clear()
        run.number += 1
        run.clock.advance(1)
    judge(run.model, in_order=not live_first)


def judge(model: Model, *, in_order: bool) -> None:
    recorded = set(model.recorded)
    assert set(model.first_sent) <= recorded
    assert model.named <= recorded
    assert recorded <= model.acknowledged | model.named | model.forgiven
    assert model.refused <= model.named | model.acknowledged | model.forgiven
    place = {name: number for number, name in enumerate(model.recorded)}
    order = [place[name] for name in model.first_sent]
    assert not in_order or order == sorted(order)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(schedule=steps, limit_bytes=st.sampled_from([1 << 30, 150_000]), live_first=st.booleans())
def test_nothing_is_lost_unnamed_in_any_schedule(schedule: list[Step], limit_bytes: int, live_first: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(go_through(Path(home), limit_bytes, live_first, schedule))
