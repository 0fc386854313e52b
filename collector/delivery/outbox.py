"""The one way out: a memory head and a SQLite tail.

What the broker acknowledges before the next group commit never touches the disk; all else is written, fsynced
and kept until its PUBACK. Every recorded data message is acknowledged, waiting, or named as lost in a gap event.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Self, TypeVar

import structlog

from collector.clock import Clock
from collector.crashpoint import CrashPoint, passing
from collector.delivery.disk import Disk
from collector.delivery.gaps import gap_fields
from collector.delivery.inspection_door import inspection_door
from collector.delivery.keeper import Keeper
from collector.delivery.ledger import Ledger
from collector.delivery.message import Entry, Message
from collector.delivery.queues import Queues
from collector.delivery.tail import Tail
from collector.status.board import Board, BufferState, Conditions, SinkConditions
from collector.storage.folder import folder_lock
from collector.storage.inspection import Inspection
from collector.storage.records import Found, Gap, Record, Tally

EventLetter = Callable[[str, Mapping[str, object]], Message | None]
"""Writes an event of a type with its fields; None when events are off. Called from the storage thread too."""

RING_MESSAGES = 10_000
RING_BYTES = 64 << 20
RING_LETTERS = 1_000
RING_LETTER_BYTES = 8 << 20
_CLOSE_S = 3.0

ResultT = TypeVar("ResultT")

log = structlog.get_logger()


class Outbox:
    """Records messages, hands them out in order, and forgets them when they are acknowledged.

    All but `open` and `commit` is synchronous, never blocks, and belongs to the event loop. `on_available` is
    called, often for nothing, when there may be something to `take`.
    """

    def __init__(
        self,
        tail: Tail,
        *,
        commit_ms: int,
        clock: Clock,
        board: Conditions,
        counts: BufferState,
        mark_buffered: Callable[[bytes], bytes],
        event_letter: EventLetter,
        epoch: str = "",
    ) -> None:
        self.on_available: Callable[[], None] = lambda: None
        self._clock = clock
        self._event_letter = event_letter
        self._write_first = commit_ms == 0
        self._queues = Queues(Ledger(counts))
        self._keeper = Keeper(self._queues, commit_ms=commit_ms, clock=clock, board=board, tell=self._tell)
        self._keeper.disk = self._disk = Disk(
            tail,
            self._queues,
            clock=clock,
            board=board,
            mark_buffered=mark_buffered,
            tell=self._tell,
            on_available=lambda: self.on_available(),
            on_trouble=self._keeper.notice_trouble,
            epoch=epoch,
        )
        self._found = Found()
        self._seq = 0

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        folder: Path,
        *,
        commit_ms: int,
        limit_bytes: int,
        clock: Clock,
        board: Board,
        mark_buffered: Callable[[bytes], bytes],
        event_letter: EventLetter,
        sink: str = "",
        epoch: str = "",
    ) -> AsyncIterator[Self]:
        """An outbox in a folder of its own: the broker's, or that of a `sink`, whose data bears an `epoch` already.

        Opens on any file and any disk. Raises `DataFolderInUse`. At the end it writes what was not acknowledged.
        """

        def gap_letter(gap: Gap, reason: str) -> Record | None:
            letter = event_letter("gap", gap_fields(gap, reason))
            return Record(letter.topic, letter.payload, clock.wall_ms()) if letter else None

        with folder_lock(folder):
            tail = Tail(folder, limit_bytes, gap_letter)
            outbox = cls(
                tail,
                commit_ms=commit_ms,
                clock=clock,
                board=SinkConditions(board, sink) if sink else board,
                counts=board.sinks[sink].buffer if sink else board.buffer,
                mark_buffered=mark_buffered,
                event_letter=event_letter,
                epoch=epoch,
            )
            try:
                outbox._found = await outbox._keeper.open()
                async with outbox._kept(), outbox._seen(folder, tail):
                    yield outbox
            finally:
                if not await tail.stop(timeout_s=1.0):
                    log.error("the disk hangs, its last writes were left behind", folder=str(folder))

    def _seen(self, folder: Path, tail: Tail) -> AbstractAsyncContextManager[None]:
        def look(job: Callable[[Inspection], ResultT], /) -> asyncio.Future[ResultT]:
            return tail.call(lambda store: job(Inspection(*store.place)))

        return inspection_door(folder, look, commit=self.commit, in_memory=lambda: self._queues.data.in_memory_only)

    @asynccontextmanager
    async def _kept(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(self._keeper.run(), name="outbox keeper")
            try:
                yield
            finally:
                self._keeper.stop()
                await asyncio.wait([keeping], timeout=_CLOSE_S)
                keeping.cancel()

    async def answers(self) -> bool:
        """Returns once the thread that may block on the disk has come to it; never, if it hangs."""
        await self._disk.answers()
        return True

    # --- recording

    @property
    def epoch(self) -> str:
        """The time of this start in ms, in base 36: always greater than any before."""
        return self._disk.epoch

    def next_seq(self) -> int:
        """The sequence number for the next data message: 1, 2, 3 …"""
        self._seq += 1
        return self._seq

    def put(self, message: Message, *, seq: int, stamp_ms: int) -> None:
        """Record a data message that bears `epoch` and `seq`. To be called in the order of `seq`."""
        now = self._clock.monotonic()
        entry = Entry(message.topic, message.payload, stamp_ms, now, epoch=self.epoch, seq=seq)
        data = self._queues.data
        data.add(entry)
        self._queues.ledger.recorded(entry)
        while len(data.fresh) > RING_MESSAGES or (data.fresh_bytes > RING_BYTES and len(data.fresh) > 1):
            self._queues.drop_oldest_fresh()
        passing(CrashPoint.READ_NO_COMMIT)
        self._recorded(now)

    def put_letter(self, message: Message) -> None:
        """Record a response or an event: goes before all data and is never dropped while the disk takes it.

        While neither disk nor broker does, the last `RING_LETTERS` are kept, and `RING_LETTER_BYTES` at most.
        """
        now = self._clock.monotonic()
        letters = self._queues.letters
        letters.add(Entry(message.topic, message.payload, self._clock.wall_ms(), now))
        while len(letters.fresh) > RING_LETTERS or (letters.fresh_bytes > RING_LETTER_BYTES and len(letters.fresh) > 1):
            self._queues.drop_oldest_letter()
        self._recorded(now)

    def announce_start(self) -> None:
        """Say in an event that the last run did not stop cleanly, if so. To be called once the topics are known."""
        found, self._found = self._found, Found()
        if not found.clean:
            self._tell("restart", {"previous_epoch": found.previous_epoch, "last_recorded_seq": found.last_seq})

    async def commit(self) -> None:
        """Write now whatever is unacknowledged, without waiting for the next group commit."""
        await self._keeper.work(everything=True)

    async def clear(self) -> Tally:
        """Give up all data that waits and is not on its way to the broker, named in gap events; how much that was.

        Raises `StorageFailed` while the disk refuses: then nothing could be named for good.
        """
        return await self._keeper.clear()

    def _recorded(self, now: float) -> None:
        self._keeper.notice_unsaved(now)
        self.on_available()

    def _tell(self, kind: str, fields: Mapping[str, object]) -> None:
        if (letter := self._event_letter(kind, fields)) is not None:
            self.put_letter(letter)

    # --- delivering

    def take(self, *, letters: bool = True, data: bool = True) -> Entry | None:
        """The next message to send, in flight from now on: letters first, then data, each in order.

        None when nothing waits, or when it has yet to be read from or written to disk.
        """
        write_first = self._write_first and self._keeper.trouble is None
        for line, wanted in ((self._queues.letters, letters), (self._queues.data, data)):
            if wanted:
                entry = line.take(written_only=write_first)
                self._disk.read_ahead(line)
                if entry is not None:
                    return entry
        return None

    def take_young(self) -> Entry | None:
        """The next data message that may pass what waits on disk, in flight from now on; see `let_pass`."""
        return self._queues.data.take_young(written_only=self._write_first and self._keeper.trouble is None)

    def let_pass(self) -> None:
        """Until the connection is lost, data that comes may be taken before what waits on disk."""
        self._queues.data.let_pass(True)

    def acknowledge(self, entry: Entry) -> None:
        """The broker has it (PUBACK). Repetitions are ignored."""
        passing(CrashPoint.SENT_UNACKED)
        line = self._queues.line(entry)
        if not line.settle(entry, self._clock.monotonic()):
            return
        if entry.row is not None:
            passing(CrashPoint.ACKED_UNDELETED)
            self._keeper.notice_removed(line)
        if entry.is_data:
            self._queues.ledger.acknowledged(entry, line.oldest_waiting())
            if self._queues.backlog.drained_by(line.shelf.on_disk):
                self._tell("drained", {"epoch": entry.epoch, "to_seq": entry.seq})

    def refuse(self, entry: Entry, reason: str) -> None:
        """The broker will never take this one: it goes to the dead letters, a gap event names it, the next may pass."""
        if self.set_aside(entry, reason):
            log.warning("message refused", topic=entry.topic, seq=entry.seq, size=len(entry.payload), reason=reason)

    def set_aside(self, entry: Entry, reason: str) -> bool:
        """As `refuse`, without a word in the log; False if it was not in flight any more."""
        if not self._queues.line(entry).discard(entry):
            return False
        if entry.is_data:
            self._queues.ledger.lost(Tally(1, len(entry.payload)))
        self._queues.refused.append((entry, reason))
        self._keeper.notice_refused()
        return True

    def rewind(self, *, letters: bool = True, data: bool = True) -> None:
        """What is in flight got no answer: it waits again, in its old place."""
        if data:
            self._queues.data.rewind()
        if letters:
            self._queues.letters.rewind()

    def outage(self) -> None:
        """The connection is gone. What is, or comes, on disk from now on is a backlog."""
        self.rewind()
        self._queues.data.let_pass(False)
        self._queues.backlog.outage(self._queues.data.shelf.on_disk)

    @property
    def backlog(self) -> int:
        """How many data messages wait on disk for their turn."""
        return self._queues.data.shelf.backlog

    @property
    def last_seq(self) -> int:
        """The number of the newest data message of this start; 0 before the first."""
        return self._seq

    @property
    def letters(self) -> int:
        """How many responses and events wait on disk for their turn."""
        return self._queues.letters.shelf.backlog

    @property
    def idle(self) -> bool:
        """Whether everything recorded is delivered."""
        return self._queues.data.idle and self._queues.letters.idle

    @property
    def rests_on_disk(self) -> bool:
        """Whether messages wait that are only on disk."""
        return bool(self._queues.data.shelf.shelved or self._queues.letters.shelf.shelved)
