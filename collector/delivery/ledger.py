"""The outbox's books: recorded = acknowledged + waiting + dropped, and whether a backlog is on its way out."""

from collector.delivery.message import Entry
from collector.status.board import BufferState
from collector.storage.records import Tally


class Ledger:
    """Counts data messages in a `BufferState`."""

    def __init__(self, counts: BufferState) -> None:
        self.counts = counts

    def found(self, tally: Tally, oldest_ms: int | None) -> None:
        """The last run left this much behind: it counts as recorded and waiting."""
        self.counts.recorded += tally.messages
        self.counts.messages += tally.messages
        self.counts.bytes += tally.bytes
        self.counts.oldest_ms = oldest_ms

    def found_lost(self, messages: int) -> None:
        """The last run had left this much more behind, and damage took it: it is named in a gap."""
        self.counts.recorded += messages
        self.counts.dropped += messages

    def weigh(self, size: int) -> None:
        """What waits was weighed anew."""
        self.counts.bytes = size

    def recorded(self, entry: Entry) -> None:
        """A new message waits."""
        self.counts.recorded += 1
        self.counts.messages += 1
        self.counts.bytes += len(entry.payload)
        if self.counts.oldest_ms is None:
            self.counts.oldest_ms = entry.stamp_ms

    def grown(self, by: int) -> None:
        """A waiting message's bytes were changed."""
        self.counts.bytes += by

    def acknowledged(self, entry: Entry, oldest: Entry | None) -> None:
        """The broker has one; `oldest` is the one that has waited longest now."""
        self.counts.acknowledged += 1
        self._gone(Tally(1, len(entry.payload)))
        if oldest is not None:
            self.counts.oldest_ms = oldest.stamp_ms

    def lost(self, tally: Tally) -> None:
        """Messages were given up, and named in a gap."""
        self.counts.dropped += tally.messages
        self._gone(tally)

    def _gone(self, tally: Tally) -> None:
        self.counts.messages -= tally.messages
        self.counts.bytes -= tally.bytes
        if not self.counts.messages:
            self.counts.oldest_ms = None
            self.counts.bytes = 0


class Backlog:
    """Whether data lies on disk because of an outage or an earlier run, and when it is all delivered."""

    def __init__(self) -> None:
        self.in_outage = True
        """Whether nothing was acknowledged since the start, or since the connection was lost."""
        self._pending = False

    def outage(self, on_disk: int) -> None:
        """Nothing goes out from now on until something is acknowledged."""
        self.in_outage = True
        self.on_disk(on_disk)

    def on_disk(self, messages: int) -> None:
        """This much lies on disk."""
        self._pending = self._pending or (self.in_outage and messages > 0)

    def drained_by(self, messages_left: int) -> bool:
        """A message was acknowledged, and this many are left on disk: whether that was the last of a backlog."""
        self.in_outage = False
        drained = self._pending and not messages_left
        self._pending = self._pending and not drained
        return drained
