"""What a simulated PLC saw, for tests to look at."""

from collections import Counter, deque
from dataclasses import dataclass, field

from simulators.modbus.functions import Request
from simulators.record import KEPT, PlcRecord


@dataclass(frozen=True, slots=True)
class Seen:
    """One request: when it had come in whole (monotonic seconds), for which unit, and the number of reads."""

    at: float
    unit: int
    request: Request
    read: int


@dataclass(slots=True)
class Record(PlcRecord):
    """Counts since it was put in place: ``plc.record = Record()`` starts anew.

    `by_function` counts what was asked, by function code; `exceptions` what was refused, by exception code;
    `malformed` the connections that were closed because no frame can begin so. `reads` and `writes` keep the
    newest 200,000.
    """

    requests: int = 0
    by_function: Counter[int] = field(default_factory=Counter)
    exceptions: Counter[int] = field(default_factory=Counter)
    reads: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT))
    writes: deque[Seen] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def summary(self) -> str:
        """What it was asked, in a few words."""
        return f"{self.requests} requests, {sum(self.exceptions.values())} refused, {len(self.writes)} writes"

    def arrivals(self, unit: int | None = None) -> list[float]:
        """When the reads came (of one unit): monotonic seconds, for periods and their jitter."""
        return [seen.at for seen in self.reads if unit is None or seen.unit == unit]

    def ranges(self, unit: int | None = None) -> list[range]:
        """Which zero-based addresses the reads asked for, in their order."""
        return [seen.request.addresses for seen in self.reads if unit is None or seen.unit == unit]
