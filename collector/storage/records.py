"""What the outbox's tables hold, as the rest of the collector sees it."""

from dataclasses import dataclass

NO_ROW = 1 << 62
"""A row number behind all that there will ever be."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message as it is kept on disk. Data has an `epoch` and a `seq`; letters have neither."""

    topic: str
    payload: bytes
    stamp_ms: int
    epoch: str | None = None
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A record with the number of its row: the order of arrival."""

    number: int
    record: Record


@dataclass(frozen=True, slots=True)
class Tally:
    """How many messages, and their payloads' bytes before compression."""

    messages: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Gap:
    """Messages that were lost: `count` of them, within a range of one epoch's sequence. Stamps are wall milliseconds.

    None where it is not known: after damage there may be nothing left that could tell.
    """

    epoch: str
    from_seq: int | None
    to_seq: int | None
    count: int | None
    from_ms: int | None
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class Batch:
    """What a read gave. `skipped` counts rows that failed their checksum and lie with the dead letters now."""

    rows: tuple[Row, ...]
    last: int
    skipped: Tally = Tally()
    letters: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What one transaction adds to a queue and takes away from it: ranges of row numbers, both ends included."""

    added: tuple[Record, ...] = ()
    removed: tuple[tuple[int, int], ...] = ()
    removed_tally: Tally = Tally()

    @property
    def empty(self) -> bool:
        return not self.added and not self.removed


@dataclass(frozen=True, slots=True)
class Applied:
    """The row numbers that the first message added to each queue got, whether data has to go, and whether the disk was
    so full that the ballast went."""

    first_data: int
    first_letter: int
    over_limit: bool
    short_of_room: bool


@dataclass(frozen=True, slots=True)
class Purge:
    """What had to go, how many gap letters were written about it, and whether more has to."""

    lost: Tally = Tally()
    letters: int = 0
    over_limit: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What memory knows of a queue whose file is opened anew: those of its messages that it has itself, ranges of rows
    that are done with and perhaps not deleted yet, and how many messages there should be without these."""

    rows: tuple[Row, ...] = ()
    gone: tuple[tuple[int, int], ...] = ()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class Known:
    """What memory knows of both queues."""

    data: Held = Held()
    letters: Held = Held()


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The last rows that a transaction known to be committed has written. `letters_of_own`: what was tried after it
    writes letters that nobody would write again."""

    data: int
    letters: int
    letters_of_own: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What the file holds at its opening, and how much of it damage had cost that a gap letter names now."""

    data: Tally = Tally()
    letters: Tally = Tally()
    oldest_ms: int | None = None
    previous_epoch: str | None = None
    last_seq: int | None = None
    clean: bool = True
    lost: int = 0
