"""An outbox on a clock turned by hand, whose keeper writes only when a test asks for it."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

import pytest

from collector.delivery.message import Entry, Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from tests.doubles.clock import FakeClock

DATA_TOPIC = "vexplor/devices/edge/data"
EVENTS_TOPIC = "vexplor/devices/edge/events"
NEVER_MS = 3_600_000


def mark_buffered(payload: bytes) -> bytes:
    """Stands in for the payloads' own marking."""
    return payload[:-2] + b',"buffered":true}}'


def event_letter(kind: str, fields: Mapping[str, object]) -> Message:
    """Stands in for the writer of events."""
    return Message(EVENTS_TOPIC, json.dumps({"type": kind, **fields}).encode())


def record(outbox: Outbox, clock: FakeClock, size: int = 0) -> bytes:
    """Record one data message; returns its bytes."""
    seq = outbox.next_seq()
    meta = {"epoch": outbox.epoch, "seq": seq}
    body = json.dumps({"tags": {"t": seq}, "filler": "x" * size, "meta": meta}, separators=(",", ":")).encode()
    outbox.put(Message(DATA_TOPIC, body), seq=seq, stamp_ms=clock.wall_ms())
    return body


async def next_entry(outbox: Outbox) -> Entry | None:
    """The next message, in flight now, after the reading from disk that it may need."""
    available = asyncio.Event()
    outbox.on_available = available.set
    while (entry := outbox.take()) is None and outbox.rests_on_disk:
        async with asyncio.timeout(5):
            await available.wait()
        available.clear()
    return entry


async def take_all(outbox: Outbox) -> list[Entry]:
    """All data that waits, in flight now. Letters are acknowledged."""
    taken = []
    while (entry := await next_entry(outbox)) is not None:
        if entry.is_data:
            taken.append(entry)
        else:
            outbox.acknowledge(entry)
    return taken


async def take_letters(outbox: Outbox) -> list[dict[str, object]]:
    """All letters that wait, acknowledged, once the disk work due was done. Data is left waiting."""
    await outbox.commit()
    found = []
    while (entry := await next_entry(outbox)) is not None:
        if not entry.is_data:
            outbox.acknowledge(entry)
            found.append(json.loads(entry.payload))
    outbox.rewind()
    return found


class Opener(Protocol):
    def __call__(
        self, *, commit_ms: int = NEVER_MS, limit_bytes: int = 1 << 30
    ) -> AbstractAsyncContextManager[Outbox]: ...


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def boards() -> list[Board]:
    """The boards of the runs so far; the last one is the present run's."""
    return []


@pytest.fixture
def opened(tmp_path: Path, clock: FakeClock, boards: list[Board]) -> Opener:
    """Opens the outbox of this test, each time as a new run with a board of its own."""

    @asynccontextmanager
    async def open_outbox(*, commit_ms: int = NEVER_MS, limit_bytes: int = 1 << 30) -> AsyncIterator[Outbox]:
        boards.append(Board(clock))
        async with Outbox.open(
            tmp_path / "outbox",
            commit_ms=commit_ms,
            limit_bytes=limit_bytes,
            clock=clock,
            board=boards[-1],
            mark_buffered=mark_buffered,
            event_letter=event_letter,
        ) as outbox:
            yield outbox

    return open_outbox
