"""One waiting line of the outbox, as far as memory knows it: strictly first in, first out.

In the order of delivery: `in_flight` (sent, no PUBACK yet), `ready` (on disk and in memory, next to be sent),
the shelf (on disk only), `writing` (on their way to disk), `fresh` (in memory only). Nothing later is sent
while something earlier waits, so a message that reached the disk is always followed by younger ones only.
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile

from collector.delivery.message import Entry
from collector.storage.records import Batch, Change, Held, Row, Tally

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
        self.shelved = 0
        self.on_disk = 0
        self.loading = False
        self.removed: list[Entry] = []
        self.removed_since = 0.0
        self._cursor = 0
        self._batch: list[Entry] = []
        self._removing: list[Entry] = []
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
        return self.in_flight.pop(entry, self) is None

    def discarded(self, entry: Entry) -> None:
        """The row of a discarded message has been moved."""
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
        for entry in reversed(waiting):
            if entry.row is not None:
                self.ready.appendleft(entry)
            elif entry.writing:
                self.writing.appendleft(entry)
            else:
                self._push_fresh(entry)

    def drop_oldest_fresh(self) -> Entry:
        """Give up the oldest message that is only in memory and was not sent."""
        return self._pop_fresh()

    def oldest_waiting(self) -> Entry | None:
        """The oldest message in memory; on the shelf there may be older ones unless some are ready or in flight."""
        for part in (self.in_flight, self.ready, self.writing, self.fresh):
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
        return not (self.in_flight or self.ready or self.shelved or self.writing or self.fresh)

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
        if not self.shelved:
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
        self.ready.extend(Entry.of(row, now) for row in batch.rows)
        self._cursor = max(self._cursor, batch.last)
        self.on_disk -= batch.skipped.messages
        seen = len(batch.rows) + batch.skipped.messages
        missing = 0 if seen else self.shelved
        self.shelved = max(0, self.shelved - seen - missing)
        self.on_disk -= missing
        return missing

    def read_failed(self) -> None:
        """Nothing was read."""
        self.loading = False

    def found(self, messages: int) -> None:
        """The disk has messages that memory does not know: of an earlier run, or written by the storage itself."""
        self.shelved += messages
        self.on_disk += messages

    def unload(self) -> int:
        """Keep on disk only what is not in flight; returns the row number behind which all may be deleted."""
        first = next((entry.row for entry in self.ready if entry.row is not None), None)
        if first is not None:
            self._cursor = first - 1
            self.shelved += len(self.ready)
            self.ready.clear()
        return self._cursor

    def purged(self, messages: int) -> None:
        """The oldest messages of the shelf are gone."""
        self.shelved -= messages
        self.on_disk -= messages

    # --- a file opened anew

    def begin_reopening(self) -> Held:
        """What the file is to hold, and what no more."""
        in_memory = (entry for part in (self.in_flight, self.ready) for entry in part)
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


def _ranges(numbers: Iterable[int]) -> tuple[tuple[int, int], ...]:
    """Row numbers as ranges, both ends included."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return tuple(ranges)
