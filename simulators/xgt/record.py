"""What a simulated PLC saw, for tests to look at."""

from collections import Counter, deque
from dataclasses import dataclass, field

from simulators.xgt.instructions import Request

_KEPT = 200_000


@dataclass(slots=True)
class Record:
    """Counts since it was put in place: ``plc.record = Record()`` starts anew.

    `naks` counts what was refused, by error code; `malformed` the connections that were closed because no frame can
    begin so. `reads`, `writes` and `invokes` keep the newest 200,000.
    """

    connections: int = 0
    turned_away: int = 0
    requests: int = 0
    malformed: int = 0
    naks: Counter[int] = field(default_factory=Counter)
    invokes: deque[int] = field(default_factory=lambda: deque(maxlen=_KEPT))
    reads: deque[Request] = field(default_factory=lambda: deque(maxlen=_KEPT))
    writes: deque[Request] = field(default_factory=lambda: deque(maxlen=_KEPT))
