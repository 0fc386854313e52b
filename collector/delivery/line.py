"""One waiting line of the outbox, as far as memory knows it: strictly first in, first out.

In the order of delivery: `in_flight` (sent, no PUBACK yet), `ready` (on disk and in memory, next to be sent),
the shelf (on disk only), `writing` (on their way to disk), `fresh` (in memory only). Nothing later is sent
while something earlier waits, so a message that reached the disk is always followed by younger ones only.

Unless the young are `passing`: then they may be taken past what waits on disk, also those that were written
meanwhile (`late`, on disk and in memory, behind the shelf).
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile

from collector.delivery.message import Entry
from collector.storage.records import NO_ROW, Batch, Change, Held, Row, Tally

READ_AHEAD_MESSAGES = 64
READ_AHEAD_BYTES = 1 << 20


class Line:
    """Pure bookkeeping: the disk work it asks for is done, and reported back, by the outbox."""

    def __init__(self) -> None:
        self.in_flight: dict[Entry, None] = {}
        self.ready: deque[Entry] = deque()
        self.writing: deque[Entry] = deque()
        self.fresh: deque[Entry] = deque()
        self.fresh_bytes = 0
        self.late: deque[Entry] = deque()
        self.passing = False
        self.shelved = 0
        self.on_disk = 0
        self.loading = False
        self.removed: list[Entry] = []
        self.removed_since = 0.0
        self._cursor = 0
        self._batch: list[Entry] = []
        self._removing: list[Entry] = []
        self._discarded: dict[Entry, None] = {}
        self._expected = 0

    # --- recording and sending

    def add(self, entry: Entry) -> None:
        """Record a new message."""
        self.fresh.append(entry)
        self.fresh_bytes += len(entry.payload)

    def take(self, *, written_only: bool) -> Entry | None:
        """The next message to send, in flight from now on; None when there is none or the disk has to be read first."""
        if self.ready:
            entry = self.ready.popleft()
        elif self.shelved or written_only:
            return None
        elif self.writing:
            entry = self.writing.popleft()
        elif self.fresh:
            entry = self._pop_fresh()
        else:
            return None
        return self._sent(entry)

    def take_young(self, *, written_only: bool) -> Entry | None:
        """The oldest message that may pass what waits on disk, in flight from now on."""
        if self.late:
            return self._sent(self.late.popleft())
        if not self.passing or written_only:
            return None
        if self.writing:
            return self._sent(self.writing.popleft())
        return self._sent(self._pop_fresh()) if self.fresh else None

    def let_pass(self, passing: bool) -> None:
        """Whether the young may pass from now on; if not, those on disk keep to their place there."""
        self.passing = passing
        if not passing:
            self._put_back(self.late)
            self.late.clear()

    def _sent(self, entry: Entry) -> Entry:
        entry.decided = True
        self.in_flight[entry] = None
        return entry

    def settle(self, entry: Entry, now: float) -> bool:
        """A message in flight is done with; False if it was not in flight any more."""
        if entry not in self.in_flight:
            return False
        del self.in_flight[entry]
        entry.gone = True
        if entry.row is not None:
            self.remove(entry, now)
        return True

    def discard(self, entry: Entry) -> bool:
        """As `settle`, for a message whose row, if it has one, is moved elsewhere instead of deleted."""
        if entry not in self.in_flight:
            return False
        del self.in_flight[entry]
        self._discarded[entry] = None
        return True

    def discarded(self, entry: Entry) -> None:
        """The row of a discarded message has been moved."""
        self._discarded.pop(entry, None)
        if entry.row is not None:
            self.on_disk -= 1

    def remove(self, entry: Entry, now: float) -> None:
        """A message that is done with has to be deleted from the disk."""
        if not self.removed:
            self.removed_since = now
        self.removed.append(entry)
        self.on_disk -= 1

    def rewind(self) -> None:
        """The connection is gone: everything in flight waits again, in its old place."""
        waiting, self.in_flight = list(self.in_flight), {}
        self._put_back(entry for entry in waiting if entry.row is not None)
        for entry in reversed(waiting):
            if entry.row is not None:
                continue
            if entry.writing:
                self.writing.appendleft(entry)
            else:
                self._push_fresh(entry)

    def _put_back(self, waiting: Iterable[Entry]) -> None:
        """By rows, for where the young have passed they lie among the old; those behind the shelf go back onto it."""
        entries = sorted((*waiting, *self.ready), key=_row)
        self.ready = deque(entry for entry in entries if _row(entry) <= self._cursor)
        self.shelved += len(entries) - len(self.ready)

    def drop_oldest_fresh(self) -> Entry:
        """Give up the oldest message that is only in memory and was not sent."""
        return self._pop_fresh()

    def oldest_waiting(self) -> Entry | None:
        """The oldest message in memory; on the shelf there may be older ones unless some are ready or in flight."""
        parts = (self.in_flight, self.ready, self.late, self.writing, self.fresh)
        for part in parts[1:] if self.passing and self.ready else parts:
            if part:
                return next(iter(part))
        return None

    @property
    def unsaved_since(self) -> float | None:
        """When the oldest message that is not on disk, nor on its way there, was recorded."""
        for entry in self.in_flight:
            if entry.row is None and not entry.writing:
                return entry.since
        return self.fresh[0].since if self.fresh else None

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is in flight, neither in memory nor on disk."""
        return not (self.in_flight or self.ready or self.shelved or self.late or self.writing or self.fresh)

    @property
    def backlog(self) -> int:
        """How many messages wait on disk for their turn."""
        return len(self.ready) + self.shelved

    # --- writing and deleting

    def begin_change(self, before: float, finish: Callable[[Entry], None]) -> Change:
        """What to write, of the messages recorded up to `before`, and what to delete.

        `finish` decides the bytes of a message that was never sent.
        """
        unsaved = [entry for entry in self.in_flight if entry.row is None]
        sent = list(takewhile(lambda entry: entry.since <= before, unsaved))
        while len(sent) == len(unsaved) and self.fresh and self.fresh[0].since <= before:
            entry = self._pop_fresh()
            if not entry.decided:
                finish(entry)
                entry.decided = True
            self.writing.append(entry)
        self._batch = [*sent, *self.writing]
        for entry in self._batch:
            entry.writing = True
        gone, self.removed = self.removed, []
        self._removing = gone
        return Change(
            added=tuple(entry.record() for entry in self._batch),
            removed=_ranges(entry.row for entry in gone if entry.row is not None),
            removed_tally=Tally(len(gone), sum(len(entry.payload) for entry in gone)),
        )

    def change_done(self, first_row: int, now: float) -> None:
        """The change is on disk, its messages from row `first_row` on."""
        for number, entry in enumerate(self._batch, first_row):
            entry.row, entry.writing = number, False
            self.on_disk += 1
            if entry.gone:
                self.remove(entry, now)
        last = first_row + len(self._batch) - 1
        if self.passing:
            self._keep_late(last)
        elif not self.shelved:
            self._keep_ready(last)
        self.shelved += len(self.writing)
        self.writing.clear()
        self._batch, self._removing = [], []

    def change_failed(self) -> None:
        """Nothing of the change is on disk."""
        for entry in self._batch:
            entry.writing = False
        while self.writing:
            self._push_fresh(self.writing.pop())
        self.removed = self._removing + self.removed
        self._batch, self._removing = [], []

    def _keep_ready(self, last: int) -> None:
        size = sum(len(entry.payload) for entry in self.ready)
        while self.writing and len(self.ready) < READ_AHEAD_MESSAGES and size < READ_AHEAD_BYTES:
            entry = self.writing.popleft()
            size += len(entry.payload)
            self.ready.append(entry)
        if self._batch:
            first_left = self.writing[0].row if self.writing else None
            self._cursor = last if first_left is None else first_left - 1

    def _keep_late(self, last: int) -> None:
        """The youngest stay in memory; what is pushed out by them waits for its turn on the shelf."""
        self.late.extend(self.writing)
        self.writing.clear()
        size = sum(len(entry.payload) for entry in self.late)
        pushed_out = []
        while len(self.late) > READ_AHEAD_MESSAGES or size > READ_AHEAD_BYTES:
            pushed_out.append(self.late.popleft())
            size -= len(pushed_out[-1].payload)
        if not self.shelved and self._batch:
            self._cursor = max(self._cursor, _row(pushed_out[0]) - 1 if pushed_out else last)
        self._put_back(pushed_out)

    # --- reading

    @property
    def wants_reading(self) -> bool:
        """Whether the disk has messages that should be in memory by now."""
        return bool(self.shelved) and not self.loading and len(self.ready) < READ_AHEAD_MESSAGES // 2

    def begin_reading(self) -> int:
        """The row number behind which to read."""
        self.loading = True
        return self._cursor

    def read_done(self, batch: Batch, now: float) -> int:
        """What was read; returns how many messages the disk should have had and has not."""
        self.loading = False
        known = {entry.row for part in self._elsewhere for entry in part}
        rows = [row for row in batch.rows if row.number not in known]
        self.ready.extend(Entry.of(row, now) for row in rows)
        self._cursor = max(self._cursor, batch.last)
        self.on_disk -= batch.skipped.messages
        seen = len(rows) + batch.skipped.messages
        missing = 0 if seen or batch.rows else self.shelved
        self.shelved = max(0, self.shelved - seen - missing)
        self.on_disk -= missing
        return missing

    @property
    def _elsewhere(self) -> tuple[Iterable[Entry], ...]:
        """Messages that are on disk behind what was read so far, and not to be read: they have passed, or are done."""
        return self.in_flight, self.late, self.removed, self._removing, self._discarded

    def read_failed(self) -> None:
        """Nothing was read."""
        self.loading = False

    def found(self, messages: int) -> None:
        """The disk has messages that memory does not know: of an earlier run, or written by the storage itself."""
        self.shelved += messages
        self.on_disk += messages

    def unload(self) -> tuple[int, int]:
        """Keep on disk only what is not in flight; returns the row numbers between which all may be deleted."""
        self._put_back(self.late)
        self.late.clear()
        first = next((entry.row for entry in self.ready if entry.row is not None), None)
        if first is not None:
            self._cursor = first - 1
            self.shelved += len(self.ready)
            self.ready.clear()
        rows = (entry.row for part in self._elsewhere for entry in part)
        return self._cursor, min((row for row in rows if row is not None and row > self._cursor), default=NO_ROW)

    def purged(self, messages: int) -> None:
        """The oldest messages of the shelf are gone."""
        self.shelved -= messages
        self.on_disk -= messages

    # --- a file opened anew

    def begin_reopening(self) -> Held:
        """What the file is to hold, and what no more."""
        in_memory = (entry for part in (self.in_flight, self.ready, self.late, self._discarded) for entry in part)
        self._removing, self.removed = self.removed, []
        self._expected = self.on_disk
        return Held(
            tuple(Row(entry.row, entry.record()) for entry in in_memory if entry.row is not None),
            _ranges(entry.row for entry in self._removing if entry.row is not None),
            self._expected,
        )

    def reopened(self, messages: int) -> int:
        """The file holds so many; returns how many fewer than it should: below zero, when they are more."""
        lost = self._expected - messages
        self.shelved = max(0, self.shelved - lost)
        self.on_disk -= lost
        self._removing = []
        return lost

    def reopening_failed(self) -> None:
        """Nothing was opened."""
        self.removed = self._removing + self.removed
        self._removing = []

    @property
    def in_memory_only(self) -> int:
        """How many messages are not on disk."""
        return sum(entry.row is None for part in (self.in_flight, self.writing, self.fresh) for entry in part)

    @property
    def unsaved_bytes(self) -> int:
        """Of the payloads that are in memory only."""
        parts = (self.in_flight, self.writing)
        return self.fresh_bytes + sum(len(entry.payload) for part in parts for entry in part if entry.row is None)

    def _pop_fresh(self) -> Entry:
        entry = self.fresh.popleft()
        self.fresh_bytes -= len(entry.payload)
        return entry

    def _push_fresh(self, entry: Entry) -> None:
        self.fresh.appendleft(entry)
        self.fresh_bytes += len(entry.payload)


def _row(entry: Entry) -> int:
    assert entry.row is not None  # noqa: S101 - only what is on disk has a place there
    return entry.row


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Row numbers as ranges, both ends included."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)
