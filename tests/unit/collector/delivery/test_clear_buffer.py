"""`clear_buffer`: what waits is given up at every way out, and each names it to those who listen there."""

from collections.abc import AsyncIterator
from pathlib import Path
from unittest.mock import ANY

import pytest

from collector.commands.buffer import BufferCommands
from collector.commands.outcome import CommandFailed
from collector.delivery.outbox import Outbox
from collector.status.board import Board, SinkState
from collector.storage.errors import DiskFull
from collector.storage.records import Tally
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import (
    NEVER_MS,
    Opener,
    event_letter,
    mark_buffered,
    record,
    take_all,
    take_letters,
)


@pytest.fixture
async def broker(opened: Opener) -> AsyncIterator[Outbox]:
    async with opened() as outbox:
        yield outbox


@pytest.fixture
async def kafka(broker: Outbox, clock: FakeClock, tmp_path: Path) -> AsyncIterator[Outbox]:
    board = Board(clock)
    board.sinks["kafka"] = SinkState("kafka:9092", 1 << 30, since_ms=0)
    async with Outbox.open(
        tmp_path / "outbox-kafka",
        commit_ms=NEVER_MS,
        limit_bytes=1 << 30,
        clock=clock,
        board=board,
        mark_buffered=mark_buffered,
        event_letter=event_letter,
        sink="kafka",
        epoch=broker.epoch,
    ) as outbox:
        yield outbox


async def test_the_outboxes_of_the_sinks_are_cleared_too(broker: Outbox, kafka: Outbox, clock: FakeClock) -> None:
    for outbox, count in ((broker, 3), (kafka, 5)):
        for _ in range(count):
            record(outbox, clock)
    result = await BufferCommands(broker, {"kafka": kafka}).handlers()["clear_buffer"]({})
    sinks = result["sinks"]
    assert isinstance(sinks, dict)
    assert (result["messages"], sinks["kafka"]["messages"]) == (3, 5)
    assert sinks["kafka"]["bytes"] > 0
    for outbox, count in ((broker, 3), (kafka, 5)):
        gaps = [letter for letter in await take_letters(outbox) if letter["type"] == "gap"]
        assert [(gap["reason"], gap["count"]) for gap in gaps] == [("cleared", count)]
        assert await take_all(outbox) == []


async def test_without_sinks_nothing_is_said_of_them(broker: Outbox) -> None:
    assert await BufferCommands(broker, {}).handlers()["clear_buffer"]({}) == {"messages": 0, "bytes": 0}


async def test_where_a_disk_refuses_the_answer_says_so_and_what_was_cleared(
    broker: Outbox, kafka: Outbox, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse() -> Tally:
        raise DiskFull("disk full")

    record(broker, clock)
    record(kafka, clock)
    monkeypatch.setattr(kafka, "clear", refuse)
    with pytest.raises(CommandFailed, match="the outbox of kafka was not cleared: disk full") as failed:
        await BufferCommands(broker, {"kafka": kafka}).handlers()["clear_buffer"]({})
    assert failed.value.result == {"messages": 1, "bytes": ANY, "sinks": {"kafka": {"messages": 0, "bytes": 0}}}
