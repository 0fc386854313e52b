"""What the outbox's tables hold, as the rest of the collector sees it."""

from dataclasses import dataclass


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
    """Messages that were lost: an unbroken range of one epoch's sequence. Stamps are wall milliseconds."""

    epoch: str
    from_seq: int
    to_seq: int
    count: int
    from_ms: int
    to_ms: int


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
    """The row numbers that the first message added to each queue got, and whether data has to go."""

    first_data: int
    first_letter: int
    over_limit: bool


@dataclass(frozen=True, slots=True)
class Purge:
    """What had to go to keep the limit, and how many gap letters were written about it."""

    lost: Tally = Tally()
    letters: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """What the last run left behind."""

    data: Tally = Tally()
    letters: Tally = Tally()
    oldest_ms: int | None = None
    previous_epoch: str | None = None
    last_seq: int | None = None
    clean: bool = True
