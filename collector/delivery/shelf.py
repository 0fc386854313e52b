"""What of a line is on disk, and how much of that is in memory, too."""

from collections import deque
from collections.abc import Container, Iterable

from collector.delivery.message import Entry
from collector.storage.records import Batch

READ_AHEAD_MESSAGES = 64
READ_AHEAD_BYTES = 1 << 20


class Shelf:
    """The `ready` are in memory and next to be sent; behind row `cursor` the `shelved` follow, on disk only.

    `on_disk` counts all of the line's rows, also those that are in flight or have passed. `loading`: a read is on.
    """

    def __init__(self) -> None:
        self.ready: deque[Entry] = deque()
        self.shelved = 0
        self.on_disk = 0
        self.cursor = 0
        self.loading = False

    @property
    def backlog(self) -> int:
        """How many messages wait on disk for their turn."""
        return len(self.ready) + self.shelved

    # --- what comes back, and what was just written

    def put_back(self, waiting: Iterable[Entry]) -> None:
        """By rows, for where the young have passed they lie among the old; those behind the cursor are shelved."""
        entries = sorted((*waiting, *self.ready), key=row_of)
        self.ready = deque(entry for entry in entries if row_of(entry) <= self.cursor)
        self.shelved += len(entries) - len(self.ready)

    def keep_ready(self, written: deque[Entry], last: int) -> None:
        """Of what was just written, up to row `last`, and with nothing shelved before it: take as many as may be."""
        size = sum(len(entry.payload) for entry in self.ready)
        while written and len(self.ready) < READ_AHEAD_MESSAGES and size < READ_AHEAD_BYTES:
            entry = written.popleft()
            size += len(entry.payload)
            self.ready.append(entry)
        self.cursor = row_of(written[0]) - 1 if written else last

    def pass_over(self, last: int) -> None:
        """Memory holds all up to row `last`: it is not to be read, unless older ones have to be read first."""
        if not self.shelved:
            self.cursor = max(self.cursor, last)

    def unload(self) -> None:
        """Keep on disk only what was ready."""
        if self.ready:
            self.cursor = row_of(self.ready[0]) - 1
            self.shelved += len(self.ready)
            self.ready.clear()

    # --- reading

    @property
    def wants_reading(self) -> bool:
        """Whether the disk has messages that should be in memory by now."""
        return bool(self.shelved) and not self.loading and len(self.ready) < READ_AHEAD_MESSAGES // 2

    def begin_reading(self) -> int:
        """The row number behind which to read."""
        self.loading = True
        return self.cursor

    def read_done(self, batch: Batch, elsewhere: Container[int], now: float) -> int:
        """What was read, less what is `elsewhere`; returns how many the disk should have had and has not."""
        self.loading = False
        rows = [row for row in batch.rows if row.number not in elsewhere]
        self.ready.extend(Entry.of(row, now) for row in rows)
        self.cursor = max(self.cursor, batch.last)
        self.on_disk -= batch.skipped.messages
        seen = len(rows) + batch.skipped.messages
        missing = 0 if seen or batch.rows else self.shelved
        self.shelved = max(0, self.shelved - seen - missing)
        self.on_disk -= missing
        return missing

    def read_failed(self) -> None:
        """Nothing was read."""
        self.loading = False

    # --- what others did to the disk

    def found(self, messages: int) -> None:
        """The disk has messages that memory does not know: of an earlier run, or written by the storage itself."""
        self.shelved += messages
        self.on_disk += messages

    def purged(self, messages: int) -> None:
        """The oldest of the shelved are gone."""
        self.shelved -= messages
        self.on_disk -= messages

    def reopened(self, lost: int) -> None:
        """The file was opened anew and holds so many fewer; below zero: more."""
        self.shelved = max(0, self.shelved - lost)
        self.on_disk -= lost


def row_of(entry: Entry) -> int:
    """Its place on disk: only for what has one."""
    assert entry.row is not None  # noqa: S101 - only what is on disk has a place there
    return entry.row
