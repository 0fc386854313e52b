"""What a simulated CPU saw, for tests to look at."""

from collections import Counter, deque
from dataclasses import dataclass, field

from simulators.record import KEPT, PlcRecord
from simulators.s7.functions import Question


@dataclass(frozen=True, slots=True)
class Seen:
    """One question: when it had come in whole (monotonic seconds)."""

    at: float
    question: Question


@dataclass(slots=True)
class Record(PlcRecord):
    """Counts since it was put in place: ``plc.record = Record()`` starts anew.

    `refused` counts items and questions by the code they were refused with, `malformed` the connections that were
    closed because nothing can begin so. `reads` and `writes` keep the newest 200,000.
    """

    questions: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    reads: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT))
    writes: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def summary(self) -> str:
        """What it was asked, in a few words."""
        return f"{self.questions} questions, {sum(self.refused.values())} refused, {len(self.writes)} writes"

    def arrivals(self) -> list[float]:
        """When the reads came: monotonic seconds, for periods and their jitter."""
        return [seen.at for seen in self.reads]
