"""One waiting line of the outbox, as far as memory knows it: strictly first in, first out.

In the order of delivery: `in_flight` (sent, no PUBACK yet), the `shelf` (on disk, the next ones in memory, too),
`writing` (on their way to disk), `fresh` (in memory only). Nothing later is sent while something earlier waits,
so a message that reached the disk is always followed by younger ones only.

Unless the young are `passing`: then they may be taken past what waits on disk, also those that were written
meanwhile (`late`, on disk and in memory, behind the shelf).
"""

from collections import deque
from collections.abc import Callable, Iterable
from itertools import takewhile

from collector.delivery.message import Entry
from collector.delivery.shelf import READ_AHEAD_BYTES, READ_AHEAD_MESSAGES, Shelf, row_of
from collector.storage.records import NO_ROW, Batch, Change, Held, Row, Tally


class Line:
    """Pure bookkeeping: the disk work it asks for is done, and reported back, by the outbox."""

    def __init__(self) -> None:
        self.in_flight: dict[Entry, None] = {}
        self.shelf = Shelf()
        self.writing: deque[Entry] = deque()
        self.fresh: deque[Entry] = deque()
        self.fresh_bytes = 0
        self.late: deque[Entry] = deque()
        self.passing = False
        self.removed: list[Entry] = []
        self.removed_since = 0.0
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
        if self.shelf.ready:
            entry = self.shelf.ready.popleft()
        elif self.shelf.shelved or written_only:
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
            self.shelf.put_back(self.late)
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
            self.shelf.on_disk -= 1

    def remove(self, entry: Entry, now: float) -> None:
        """A message that is done with has to be deleted from the disk."""
        if not self.removed:
            self.removed_since = now
        self.removed.append(entry)
        self.shelf.on_disk -= 1

    def rewind(self) -> None:
        """The connection is gone: everything in flight waits again, in its old place."""
        waiting, self.in_flight = list(self.in_flight), {}
        self.shelf.put_back(entry for entry in waiting if entry.row is not None)
        for entry in reversed(waiting):
            if entry.row is not None:
                continue
            if entry.writing:
                self.writing.appendleft(entry)
            else:
                self._push_fresh(entry)

    def drop_oldest_fresh(self) -> Entry:
        """Give up the oldest message that is only in memory and was not sent."""
        return self._pop_fresh()

    def oldest_waiting(self) -> Entry | None:
        """The oldest message in memory; on the shelf there may be older ones unless some are ready or in flight."""
        parts = (self.in_flight, self.shelf.ready, self.late, self.writing, self.fresh)
        for part in parts[1:] if self.passing and self.shelf.ready else parts:
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
        return not (self.in_flight or self.shelf.ready or self.shelf.shelved or self.late or self.writing or self.fresh)

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
            self.shelf.on_disk += 1
            if entry.gone:
                self.remove(entry, now)
        last = first_row + len(self._batch) - 1
        if self.passing:
            self._keep_late(last)
        elif self._batch and not self.shelf.shelved:
            self.shelf.keep_ready(self.writing, last)
        self.shelf.shelved += len(self.writing)
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

    def _keep_late(self, last: int) -> None:
        """The youngest stay in memory; what is pushed out by them waits for its turn on the shelf."""
        self.late.extend(self.writing)
        self.writing.clear()
        size = sum(len(entry.payload) for entry in self.late)
        pushed_out = []
        while len(self.late) > READ_AHEAD_MESSAGES or size > READ_AHEAD_BYTES:
            pushed_out.append(self.late.popleft())
            size -= len(pushed_out[-1].payload)
        if self._batch:
            self.shelf.pass_over(row_of(pushed_out[0]) - 1 if pushed_out else last)
        self.shelf.put_back(pushed_out)

    # --- the shelf

    def read_done(self, batch: Batch, now: float) -> int:
        """What was read; returns how many messages the disk should have had and has not."""
        elsewhere = {entry.row for part in self._elsewhere for entry in part if entry.row is not None}
        return self.shelf.read_done(batch, elsewhere, now)

    @property
    def _elsewhere(self) -> tuple[Iterable[Entry], ...]:
        """Messages that are on disk behind what was read so far, and not to be read: they have passed, or are done."""
        return self.in_flight, self.late, self.removed, self._removing, self._discarded

    def unload(self) -> tuple[int, int]:
        """Keep on disk only what is not in flight; returns the row numbers between which all may be deleted."""
        self.shelf.put_back(self.late)
        self.late.clear()
        self.shelf.unload()
        after = self.shelf.cursor
        rows = (entry.row for part in self._elsewhere for entry in part)
        return after, min((row for row in rows if row is not None and row > after), default=NO_ROW)

    # --- a file opened anew

    def begin_reopening(self) -> Held:
        """What the file is to hold, and what no more."""
        in_memory = (entry for part in (self.in_flight, self.shelf.ready, self.late, self._discarded) for entry in part)
        self._removing, self.removed = self.removed, []
        self._expected = self.shelf.on_disk
        return Held(
            tuple(Row(entry.row, entry.record()) for entry in in_memory if entry.row is not None),
            _ranges(entry.row for entry in self._removing if entry.row is not None),
            self._expected,
        )

    def reopened(self, messages: int) -> int:
        """The file holds so many; returns how many fewer than it should: below zero, when they are more."""
        lost = self._expected - messages
        self.shelf.reopened(lost)
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
