"""What goes to the broker."""

from dataclasses import dataclass

from collector.storage.records import Record, Row


@dataclass(frozen=True, slots=True)
class Message:
    """A topic and the bytes for it. Always QoS 1, never retained."""

    topic: str
    payload: bytes


@dataclass(slots=True, eq=False)
class Entry:
    """A message on its way through the outbox. Data has an epoch and a seq, a letter has neither.

    `since` is the monotonic time it was recorded. Its bytes are `decided` once it was sent or written, so that
    every repetition is the same to the byte. `row` is its place on disk, if it has one.
    """

    topic: str
    payload: bytes
    stamp_ms: int
    since: float
    epoch: str | None = None
    seq: int | None = None
    row: int | None = None
    decided: bool = False
    writing: bool = False
    gone: bool = False

    @property
    def is_data(self) -> bool:
        return self.seq is not None

    def record(self) -> Record:
        """As it is written to disk."""
        return Record(self.topic, self.payload, self.stamp_ms, self.epoch, self.seq)

    @classmethod
    def of(cls, row: Row, now: float) -> "Entry":
        """As it was read from disk."""
        record = row.record
        return cls(
            record.topic, record.payload, record.stamp_ms, now,
            epoch=record.epoch, seq=record.seq, row=row.number, decided=True,
        )  # fmt: skip
