"""The outbox's queues and their books: shared by the outbox, which delivers, and its keeper, which writes."""

from dataclasses import dataclass, field

from collector.delivery.gaps import Losses
from collector.delivery.ledger import Backlog, Ledger
from collector.delivery.line import Line
from collector.delivery.message import Entry
from collector.storage.records import Tally


@dataclass(slots=True)
class Queues:
    """Data and letters wait apart; `refused` are those the broker will never take, with the reason."""

    ledger: Ledger
    data: Line = field(default_factory=Line)
    letters: Line = field(default_factory=Line)
    backlog: Backlog = field(default_factory=Backlog)
    losses: Losses = field(default_factory=Losses)
    refused: list[tuple[Entry, str]] = field(default_factory=list)
    letters_dropped: int = 0

    @property
    def lines(self) -> tuple[Line, Line]:
        """Data, then letters."""
        return self.data, self.letters

    def line(self, entry: Entry) -> Line:
        """The queue an entry belongs to."""
        return self.data if entry.is_data else self.letters

    def drop_oldest_letter(self) -> None:
        """Give up the oldest event or response that is only in memory."""
        self.letters.drop_oldest_fresh()
        self.letters_dropped += 1

    def drop_oldest_fresh(self) -> None:
        """Give up the oldest data that is only in memory."""
        entry = self.data.drop_oldest_fresh()
        self.ledger.lost(Tally(1, len(entry.payload)))
        self.losses.add(entry)
