"""One further way out, as a whole: its outbox, its courier, and what they are called on the board."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.clock import Clock
from collector.delivery.outbox import EventLetter, Outbox
from collector.delivery.sinks.courier import Courier
from collector.delivery.sinks.destination import Destination
from collector.status.board import Board, SinkConditions, SinkState
from collector.storage.folder import outbox_folder

_GATHER = 0.25
"""Of the time to the group commit: a request a message is the costliest part, and its answer has to come in time."""


@dataclass(frozen=True, slots=True)
class Sink:
    """What is put in `outbox` is delivered to the destination of this name."""

    name: str
    outbox: Outbox
    courier: Courier


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkOptions:
    """What all sinks have alike. `epoch` is that of the data; no courier leaves before `ready` is set."""

    data_dir: Path
    commit_ms: int
    most_bytes: int
    longest_wait_s: float
    epoch: str
    ready: asyncio.Event
    mark_buffered: Callable[[bytes], bytes]
    clock: Clock
    board: Board


@asynccontextmanager
async def open_sink(
    name: str, where: str, destination: Destination, event_letter: EventLetter, options: SinkOptions
) -> AsyncIterator[Sink]:
    """A sink that delivers as long as the context is open, and may be drained before its end. `where` is for people.

    Raises `DataFolderInUse`.
    """
    board = options.board
    state = board.sinks[name] = SinkState(where, options.most_bytes, since_ms=options.clock.wall_ms())
    async with Outbox.open(
        outbox_folder(options.data_dir, name),
        commit_ms=options.commit_ms,
        limit_bytes=options.most_bytes,
        clock=options.clock,
        board=board,
        mark_buffered=options.mark_buffered,
        event_letter=event_letter,
        sink=name,
        epoch=options.epoch,
    ) as outbox:
        courier = Courier(
            name,
            outbox,
            destination,
            state=state,
            conditions=SinkConditions(board, name),
            clock=options.clock,
            ready=options.ready,
            longest_wait_s=options.longest_wait_s,
            gather_s=options.commit_ms * _GATHER / 1000,
        )
        async with asyncio.TaskGroup() as tasks:
            delivering = tasks.create_task(courier.run(), name=f"{name} courier")
            try:
                yield Sink(name, outbox, courier)
            finally:
                delivering.cancel()
