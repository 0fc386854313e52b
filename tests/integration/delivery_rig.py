"""An outbox and a publisher, put together as the collector does, against whatever broker a test has."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from collector.clock import SystemClock
from collector.delivery.address import Address
from collector.delivery.message import Message
from collector.delivery.mqtt.options import MqttOptions
from collector.delivery.outbox import Outbox
from collector.delivery.publisher import Publisher
from collector.status.board import Board

DATA = "vexplor/devices/edge/data"
STATUS = "vexplor/devices/edge/status"
EVENTS = "vexplor/devices/edge/events"
COMMANDS = "vexplor/devices/edge/commands"
OFFLINE = b'{"status":"offline","reason":"connection_lost"}'


@dataclass
class Rig:
    """What a test needs to hold on to."""

    outbox: Outbox
    publisher: Publisher
    board: Board
    ready: asyncio.Event
    commands: list[tuple[bytes, bool]] = field(default_factory=list)
    connects: int = 0

    def record(self, count: int = 1, size: int = 200) -> list[int]:
        """Record data messages; returns their seqs."""
        seqs = []
        for _ in range(count):
            seq = self.outbox.next_seq()
            seqs.append(seq)
            filler = "x" * max(0, size - 60)
            payload = b'{"tags":{"t":"%s"},"meta":{"epoch":"%s","seq":%d}}' % (
                filler.encode(), self.outbox.epoch.encode(), seq,
            )  # fmt: skip
            self.outbox.put(Message(DATA, payload), seq=seq, stamp_ms=SystemClock().wall_ms())
        return seqs

    async def until(self, true: Callable[[], bool], timeout_s: float = 20) -> None:
        """Wait for something on the board or in the outbox, which tell nobody of their changes."""
        async with asyncio.timeout(timeout_s):
            while not true():
                await asyncio.sleep(0.005)

    async def until_delivered(self, timeout_s: float = 20) -> None:
        """Wait until nothing waits any more."""
        await self.until(lambda: self.outbox.idle, timeout_s)

    def books_balance(self) -> bool:
        """recorded = acknowledged + waiting + dropped."""
        counts = self.board.buffer
        return counts.recorded == counts.acknowledged + counts.messages + counts.dropped


def mark_buffered(payload: bytes) -> bytes:
    return payload[:-2] + b',"buffered":true}}'


def event_letter(kind: str, fields: Mapping[str, object]) -> Message:
    return Message(EVENTS, json.dumps({"type": kind, **fields}).encode())


def seq_of(payload: bytes) -> int:
    """The seq of a data message."""
    return int(json.loads(payload)["meta"]["seq"])


@asynccontextmanager
async def rig(
    folder: Path,
    options: MqttOptions,
    *,
    commit_ms: int = 100,
    reconnect_max_s: float = 0.2,
    ready: bool = True,
    limit_bytes: int = 1 << 30,
    run: bool = True,
    live_first: bool = False,
    replay_rate: float | None = None,
    status: bytes = b'{"status":"online"}',
) -> AsyncIterator[Rig]:
    """The delivery of one collector, stopped without goodbye at the end unless the test drained it."""
    clock = SystemClock()
    board = Board(clock)
    go = asyncio.Event()
    if ready:
        go.set()
    async with Outbox.open(
        folder,
        commit_ms=commit_ms,
        limit_bytes=limit_bytes,
        clock=clock,
        board=board,
        mark_buffered=mark_buffered,
        event_letter=event_letter,
    ) as outbox:

        def greet() -> None:
            built.connects += 1
            publisher.publish_status(status)

        publisher = Publisher(
            outbox,
            options,
            lambda: Address("edge-collector-edge", STATUS, OFFLINE, (COMMANDS,), EVENTS),
            board=board,
            clock=clock,
            ready=go,
            on_connected=greet,
            on_command=lambda payload, retained: built.commands.append((payload, retained)),
            reconnect_max_s=reconnect_max_s,
            live_first=live_first,
            replay_rate=replay_rate,
            install="gw-test 0123abcd",
        )
        built = Rig(outbox, publisher, board, go)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(publisher.run()) if run else None
            try:
                yield built
            finally:
                if running is not None:
                    running.cancel()
