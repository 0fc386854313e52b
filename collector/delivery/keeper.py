"""Keeps the outbox on disk: group commits, batched deletes, read-ahead, the limit, and healing."""

import asyncio
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial

import structlog

from collector.clock import Clock
from collector.delivery.gaps import gap_fields, unknown_gap_fields
from collector.delivery.line import READ_AHEAD_BYTES, READ_AHEAD_MESSAGES, Line
from collector.delivery.message import Entry
from collector.delivery.queues import Queues
from collector.delivery.tail import Opened, Tail
from collector.status.board import Board
from collector.storage.errors import DamagedFile, NotWritable, StorageFailed
from collector.storage.outbox_store import OutboxStore
from collector.storage.queue_table import ReadableQueue
from collector.storage.records import Batch, Found, Record, Tally

Tell = Callable[[str, Mapping[str, object]], None]

_RETRY_S = 5.0
_DELETE_WITHIN_S = 0.2
_DELETE_AT = 500

log = structlog.get_logger()


class Keeper:
    """Does, one piece after the other, what the queues need done on disk.

    While the disk refuses, `trouble` says why, everything stays in memory, and a new attempt is made every few
    seconds. `epoch` is that of this start.
    """

    def __init__(
        self,
        tail: Tail,
        queues: Queues,
        *,
        commit_ms: int,
        clock: Clock,
        board: Board,
        mark_buffered: Callable[[bytes], bytes],
        tell: Tell,
        on_available: Callable[[], None],
    ) -> None:
        self.epoch = ""
        self.trouble: StorageFailed | None = None
        self._tail = tail
        self._queues = queues
        self._commit_s = commit_ms / 1000
        self._clock = clock
        self._board = board
        self._mark_buffered = mark_buffered
        self._tell = tell
        self._on_available = on_available
        self._disk = asyncio.Lock()
        self._alarm = asyncio.Event()
        self._wakes_at = -math.inf
        self._retry_at = 0.0
        self._readable = False
        self._opened_once = False
        self._bug: BaseException | None = None
        self._stopping = False

    async def open(self) -> Found:
        """Open the file, begin an epoch, and take over what the last run left: nothing, where the disk refuses."""
        try:
            return (await self._open()).found
        except StorageFailed as trouble:
            self._degrade(trouble)
            self.epoch = await self._tail.next_epoch(self._clock.wall_ms())
            return Found()

    async def run(self) -> None:
        """Work until `stop`, then write all that is left and note the clean stop."""
        while not self._stopping:
            await self._pause()
            if not self._stopping and self._due_in() == 0:
                await self.work()
        await self.work(everything=True)
        if self.trouble is None:
            with suppress(StorageFailed):
                await self._tail.call(lambda store: store.end_epoch())

    def stop(self) -> None:
        """Have `run` finish."""
        self._stopping = True
        self._alarm.set()

    def notice_unsaved(self, since: float) -> None:
        """A message was recorded."""
        self._notice(since + self._commit_s)

    def notice_removed(self, line: Line) -> None:
        """A message on disk was acknowledged."""
        self._notice(line.removed_since + _DELETE_WITHIN_S if len(line.removed) < _DELETE_AT else -math.inf)

    def notice_refused(self) -> None:
        """A message was refused."""
        self._notice(-math.inf)

    async def work(self, *, everything: bool = False) -> None:
        """Do what is due; with `everything`, write whatever is unacknowledged, however young."""
        async with self._disk:
            if self._bug is not None:
                raise self._bug
            try:
                if self.trouble is not None:
                    await self._recover(self.trouble)
                await self._write(math.inf if everything else self._old_enough())
                await self._bury_refused()
            except StorageFailed as trouble:
                self._degrade(trouble)
            else:
                self._healed()
            self._name_losses()

    def read_ahead(self, line: Line) -> None:
        """Fetch what comes next, if the line runs short of it."""
        if not (line.wants_reading and self._readable):
            return
        queue: ReadableQueue = "data" if line is self._queues.data else "letters"
        after = line.begin_reading()
        reading = self._tail.call(lambda store: store.read(queue, after, READ_AHEAD_MESSAGES, READ_AHEAD_BYTES))
        reading.add_done_callback(partial(self._have_read, line))

    # --- when

    async def _pause(self) -> None:
        self._alarm.clear()
        delay = self._due_in()
        self._wakes_at = math.inf if delay is None else self._clock.monotonic() + delay
        if delay is None or delay > 0:
            try:
                async with asyncio.timeout(delay):
                    await self._alarm.wait()
            except TimeoutError:
                pass
        self._wakes_at = -math.inf

    def _due_in(self) -> float | None:
        now = self._clock.monotonic()
        if self.trouble is not None:
            return max(0.0, self._retry_at - now)
        if self._queues.refused or self._queues.losses or self._bug:
            return 0.0
        moments = [moment for line in self._queues.lines for moment in self._moments(line)]
        return max(0.0, min(moments) - now) if moments else None

    def _moments(self, line: Line) -> list[float]:
        moments = []
        if (since := line.unsaved_since) is not None:
            moments.append(since + self._commit_s)
        if line.removed:
            moments.append(line.removed_since + (_DELETE_WITHIN_S if len(line.removed) < _DELETE_AT else 0))
        return moments

    def _notice(self, moment: float) -> None:
        if moment < self._wakes_at and self.trouble is None:
            self._alarm.set()

    def _old_enough(self) -> float:
        if self._queues.backlog.in_outage:
            return math.inf
        # On a good link a PUBACK is on its way for the younger half: writing them would wear the flash for nothing.
        return self._clock.monotonic() - self._commit_s / 2

    # --- what

    async def _write(self, before: float) -> None:
        data_line, letter_line = self._queues.lines
        data = data_line.begin_change(before, self._finish)
        letters = letter_line.begin_change(before, lambda _: None)
        if data.empty and letters.empty:
            return
        try:
            applied = await self._tail.call(lambda store: store.apply(data, letters))
        except StorageFailed:
            data_line.change_failed()
            letter_line.change_failed()
            raise
        now = self._clock.monotonic()
        data_line.change_done(applied.first_data, now)
        letter_line.change_done(applied.first_letter, now)
        self._queues.backlog.on_disk(data_line.on_disk)
        self._on_available()
        if applied.over_limit and not data_line.loading:
            await self._purge(data_line)

    def _finish(self, entry: Entry) -> None:
        marked = self._mark_buffered(entry.payload)
        self._queues.ledger.grown(len(marked) - len(entry.payload))
        entry.payload = marked

    async def _purge(self, line: Line) -> None:
        after = line.unload()
        purge = await self._tail.call(lambda store: store.purge(after))
        line.purged(purge.lost.messages)
        self._queues.ledger.lost(purge.lost)
        self._found_letters(purge.letters)

    async def _bury_refused(self) -> None:
        while self._queues.refused:
            entry, reason = self._queues.refused[0]
            record, row = entry.record(), entry.row
            letters = await self._tail.call(partial(_bury, record, row, reason))
            self._queues.refused.pop(0)
            self._queues.line(entry).discarded(entry)
            self._found_letters(letters)

    def _have_read(self, line: Line, reading: asyncio.Future[Batch]) -> None:
        trouble = reading.exception()
        if trouble is not None:
            line.read_failed()
            self._readable = False
            if isinstance(trouble, StorageFailed):
                self._degrade(trouble)
            else:
                self._bug = trouble
            self._alarm.set()
            return
        batch = reading.result()
        missing = line.read_done(batch, self._clock.monotonic())
        if missing:
            log.error("messages counted but not found on disk", messages=missing)
        if line is self._queues.data:
            self._queues.ledger.lost(Tally(batch.skipped.messages + missing, batch.skipped.bytes))
        self._found_letters(batch.letters)
        self._on_available()

    def _found_letters(self, letters: int) -> None:
        if letters:
            self._queues.letters.found(letters)
            self._on_available()

    def _name_losses(self) -> None:
        for gap in self._queues.losses.take():
            log.warning("messages dropped, the disk does not take them", count=gap.count)
            self._tell("gap", gap_fields(gap, "storage"))

    # --- trouble

    async def _open(self, distrust: str = "") -> Opened:
        opened = await self._tail.open(self._clock.wall_ms(), self.epoch, distrust)
        self.epoch, self._readable = opened.epoch, True
        if opened.damage:
            log.error("outbox file could not be used, a new one was begun", reason=opened.damage)
            self._board.raise_condition("outbox_recovered", opened.damage)
        if opened.damage or not self._opened_once:
            self._take_over(opened.found)
        self._opened_once = True
        return opened

    def _take_over(self, found: Found) -> None:
        data, ledger = self._queues.data, self._queues.ledger
        known = data.forget_disk()
        self._queues.letters.forget_disk()
        data.found(found.data.messages)
        self._queues.letters.found(found.letters.messages)
        self._queues.backlog.on_disk(data.on_disk)
        if not known:
            ledger.found(found.data, found.oldest_ms)
        elif known < found.data.messages:
            ledger.found(Tally(found.data.messages - known), found.oldest_ms)
        elif known > found.data.messages:
            ledger.lost(Tally(known - found.data.messages))
            self._tell("gap", unknown_gap_fields(self.epoch, known - found.data.messages))

    async def _recover(self, trouble: StorageFailed) -> None:
        if isinstance(trouble, DamagedFile):
            await self._open(distrust=str(trouble))
        elif not isinstance(trouble, NotWritable) or not self._opened_once:
            await self._open()
        self._readable = True

    def _degrade(self, trouble: StorageFailed) -> None:
        if self.trouble is None:
            log.error("the disk refuses, keeping messages in memory", reason=str(trouble))
        self.trouble = trouble
        self._retry_at = self._clock.monotonic() + _RETRY_S
        self._board.raise_condition("storage_degraded", str(trouble))

    def _healed(self) -> None:
        if self.trouble is None:
            return
        log.info("the disk works again")
        self.trouble = None
        self._board.clear_condition("storage_degraded")


def _bury(record: Record, row: int | None, reason: str, store: OutboxStore) -> int:
    return store.bury(record, row, reason)
