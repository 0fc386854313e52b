"""What the judge judges by: what was made, what must have been recorded, what arrived, and what was done to it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Replay = Literal["fifo", "live_first"]


class Id(NamedTuple):
    """A data message's identity. Sorts by the time of its start, then by its number."""

    started_ms: int
    seq: int

    @classmethod
    def of(cls, epoch: str, seq: int) -> "Id":
        """From what the message says. Raises `ValueError` for an epoch that is none."""
        return cls(int(epoch, 36), seq)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A data message at the subscriber: `sample` is the PLC's own number of the reading, `digest` of all its bytes."""

    id: Id
    sample: int
    digest: int
    at: float


@dataclass(frozen=True, slots=True)
class Gap:
    """An event that names messages as lost: numbers `first` to `last` of one start, both included."""

    started_ms: int
    first: int
    last: int
    count: int
    reason: str

    def ids(self) -> Iterable[Id]:
        """What it names."""
        return (Id(self.started_ms, seq) for seq in range(self.first, self.last + 1))


@dataclass(frozen=True, slots=True)
class Restart:
    """An event that says that a start ended without a clean stop, and the last number it had on disk."""

    started_ms: int | None
    last_seq: int | None


@dataclass(frozen=True, slots=True)
class Life:
    """One run of the collector, in monotonic seconds; `killed`: it could not say goodbye."""

    began: float
    ended: float
    killed: bool


@dataclass(frozen=True, slots=True)
class Fault:
    """What was done, from when to when. `notice_s`: how long a collector may take to see that such a link is dead."""

    name: str
    began: float
    ended: float
    notice_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Record:
    """All of one trial. Times are monotonic seconds of one clock.

    `made`: when the PLC handed out each sample. `owed`: those that must have been recorded (`recorded.owed`).
    `arrivals` are in the order of arrival. `restarts_due`: how many starts ended without a clean stop and were
    followed by one long enough to say so. `acknowledged`: what the broker took, by PUBACK, as seen between the two.
    `repeated`: how often a message was sent twice on one connection. `broker_forgot`: it was killed, too.
    `resume_s`: how long after a fault's end data may take to flow again.
    """

    made: Mapping[int, float]
    owed: frozenset[int]
    arrivals: Sequence[Arrival]
    gaps: Sequence[Gap] = ()
    restarts: Sequence[Restart] = ()
    restarts_due: int = 0
    faults: Sequence[Fault] = ()
    acknowledged: Mapping[Id, int] = field(default_factory=dict)
    repeated: int = 0
    broker_forgot: bool = False
    replay: Replay = "fifo"
    resume_s: float = 32.0
