"""What a simulated PLC saw, for tests to look at."""

from collections import Counter, deque
from dataclasses import dataclass, field

from simulators.record import KEPT, PlcRecord
from simulators.xgt.instructions import Request


@dataclass(slots=True)
class Record(PlcRecord):
    """Counts since it was put in place: ``plc.record = Record()`` starts anew.

    `naks` counts what was refused, by error code; `malformed` the connections that were closed because no frame can
    begin so. `reads`, `writes` and `invokes` keep the newest 200,000.
    """

    requests: int = 0
    naks: Counter[int] = field(default_factory=Counter)
    invokes: deque[int] = field(default_factory=lambda: deque(maxlen=KEPT))
    reads: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT))
    writes: deque[Request] = field(default_factory=lambda: deque(maxlen=KEPT))

    @property
    def summary(self) -> str:
        """What it was asked, in a few words."""
        return f"{self.requests} requests, {sum(self.naks.values())} refused, {len(self.writes)} writes"
