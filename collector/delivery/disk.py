"""The jobs that the queues need done on disk, each with what it means for the queues and the books."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial

import structlog

from collector.clock import Clock
from collector.delivery.gaps import gap_fields, unlocated
from collector.delivery.line import Line
from collector.delivery.message import Entry
from collector.delivery.queues import Queues
from collector.delivery.shelf import READ_AHEAD_BYTES, READ_AHEAD_MESSAGES
from collector.delivery.tail import Tail
from collector.status.board import Conditions
from collector.storage.errors import StorageFailed
from collector.storage.outbox_store import OutboxStore, connection_release
from collector.storage.queue_table import ReadableQueue
from collector.storage.records import Batch, Found, Known, Purge, Record, Tally

Tell = Callable[[str, Mapping[str, object]], None]

log = structlog.get_logger()


class Disk:
    """One job at a time, except for reading ahead. What is awaited raises `StorageFailed` and then has changed nothing.

    `epoch` is that of this start; where none is given, one is begun. `short_of_room`: the last write met a full disk
    and had to make room for itself.
    `on_trouble` is told why reading ahead failed: a `StorageFailed`, or a bug.
    """

    def __init__(
        self,
        tail: Tail,
        queues: Queues,
        *,
        clock: Clock,
        board: Conditions,
        mark_buffered: Callable[[bytes], bytes],
        tell: Tell,
        on_available: Callable[[], None],
        on_trouble: Callable[[BaseException], None],
        epoch: str = "",
    ) -> None:
        self.epoch = epoch
        self.opened_once = False
        self.short_of_room = False
        self._tail = tail
        self._queues = queues
        self._clock = clock
        self._board = board
        self._mark_buffered = mark_buffered
        self._tell = tell
        self._on_available = on_available
        self._on_trouble = on_trouble
        self._readable = False

    # --- opening

    async def open(self, distrust: str = "") -> Found:
        """Open the file, or open it anew; `distrust` says why it is to be set aside."""
        self._readable = False
        await self._tail.settled()
        lines = self._queues.lines
        known = Known(*(line.begin_reopening() for line in lines))
        try:
            opened = await self._tail.open(self._clock.wall_ms(), self.epoch, known, distrust)
        except StorageFailed:
            for line in lines:
                line.reopening_failed()
            raise
        if not self.opened_once:
            log.info("outbox opened", sqlite=connection_release(), waiting=opened.found.data.messages)
        self.epoch, self._readable, self.opened_once = opened.epoch, True, True
        if opened.damage:
            log.error("outbox file could not be used, a new one was begun", reason=opened.damage)
            self._board.raise_condition("outbox_recovered", opened.damage)
        self._balance(opened.found)
        return opened.found

    async def begin_without(self) -> None:
        """Begin an epoch that can not be noted."""
        self.epoch = self.epoch or await self._tail.next_epoch(self._clock.wall_ms())

    async def answers(self) -> None:
        """Returns once the disk has done all that it was asked for before."""
        await self._tail.settled()

    async def end(self) -> None:
        """Note the clean stop."""
        await self._tail.call(lambda store: store.end_epoch())

    def _balance(self, found: Found) -> None:
        data, letters, ledger = self._queues.data, self._queues.letters, self._queues.ledger
        expected = data.shelf.on_disk
        lost = data.reopened(found.data.messages)
        letters.reopened(found.letters.messages)
        self._queues.backlog.on_disk(data.shelf.on_disk)
        if lost < 0:
            ledger.found(Tally(-lost), found.oldest_ms)
        elif lost > 0:
            ledger.lost(Tally(lost))
        ledger.weigh(found.data.bytes + data.unsaved_bytes)
        if not expected:
            ledger.found_lost(found.lost)
        elif lost > found.lost:
            self._tell("gap", gap_fields(unlocated(self.epoch, lost - found.lost), "corrupt"))
        self._on_available()

    # --- writing

    async def write(self, before: float) -> None:
        """Write what was recorded up to `before`, delete what is done with, and keep the limit."""
        lines = self._queues.lines
        data = lines[0].begin_change(before, self._finish)
        letters = lines[1].begin_change(before, lambda _: None)
        if data.empty and letters.empty:
            return
        try:
            applied = await self._tail.call(lambda store: store.apply(data, letters))
        except StorageFailed:
            for line in lines:
                line.change_failed()
            raise
        now = self._clock.monotonic()
        for line, first_row in zip(lines, (applied.first_data, applied.first_letter), strict=True):
            line.change_done(first_row, now)
        self.short_of_room = applied.short_of_room
        self._queues.backlog.on_disk(lines[0].shelf.on_disk)
        self._on_available()
        if applied.over_limit:
            await self.purge("limit")

    async def purge(self, reason: str) -> None:
        """Give up the oldest data on disk: until the limit is kept, at least one step of it."""
        await self.bury_refused()  # or their rows could be given up once more
        more = True
        while more and not self._queues.data.shelf.loading:
            purge = await self._purge_step(reason)
            more = purge.over_limit and purge.lost.messages > 0

    async def clear(self) -> Tally:
        """Give up all data on disk that is not on its way to the broker; returns how much that was."""
        await self.bury_refused()
        cleared = Tally()
        while True:
            if self._queues.data.shelf.loading:
                await self._tail.settled()
                await asyncio.sleep(0)
                continue
            step = (await self._purge_step("cleared")).lost
            if not step.messages:
                return cleared
            cleared = Tally(cleared.messages + step.messages, cleared.bytes + step.bytes)

    async def _purge_step(self, reason: str) -> Purge:
        after, before = self._queues.data.unload()
        purge = await self._tail.call(partial(_purge, after, reason, before))
        self._queues.data.shelf.purged(purge.lost.messages)
        self._queues.ledger.lost(purge.lost)
        self._found_letters(purge.letters)
        return purge

    async def bury_refused(self) -> None:
        """Move what the broker will never take to the dead letters."""
        while self._queues.refused:
            entry, reason = self._queues.refused[0]
            letters = await self._tail.call(partial(_bury, entry.record(), entry.row, reason))
            self._queues.refused.pop(0)
            self._queues.line(entry).discarded(entry)
            self._found_letters(letters)

    async def make_ready(self) -> None:
        """After a time without room: take it back, if there is some."""
        self.short_of_room = not await self._tail.call(lambda store: store.hold_ballast())

    def _finish(self, entry: Entry) -> None:
        marked = self._mark_buffered(entry.payload)
        self._queues.ledger.grown(len(marked) - len(entry.payload))
        entry.payload = marked

    # --- reading

    def read_ahead(self, line: Line) -> None:
        """Fetch what comes next, if the line runs short of it."""
        if not (line.shelf.wants_reading and self._readable):
            return
        queue: ReadableQueue = "data" if line is self._queues.data else "letters"
        after = line.shelf.begin_reading()
        reading = self._tail.call(lambda store: store.read(queue, after, READ_AHEAD_MESSAGES, READ_AHEAD_BYTES))
        reading.add_done_callback(partial(self._have_read, line))

    def _have_read(self, line: Line, reading: asyncio.Future[Batch]) -> None:
        trouble = reading.exception()
        if trouble is not None:
            line.shelf.read_failed()
            self._readable = False
            self._on_trouble(trouble)
            return
        batch = reading.result()
        missing = line.read_done(batch, self._clock.monotonic())
        if missing:
            log.error("messages counted but not found on disk", messages=missing)
        if line is self._queues.data:
            self._queues.ledger.lost(Tally(batch.skipped.messages + missing, batch.skipped.bytes))
            if missing:
                self._tell("gap", gap_fields(unlocated(self.epoch, missing), "corrupt"))
        self._found_letters(batch.letters)
        self._on_available()

    def _found_letters(self, letters: int) -> None:
        if letters:
            self._queues.letters.shelf.found(letters)
            self._on_available()


def _purge(after: int, reason: str, before: int, store: OutboxStore) -> Purge:
    return store.purge(after, reason, before=before)


def _bury(record: Record, row: int | None, reason: str, store: OutboxStore) -> int:
    return store.bury(record, row, reason)
