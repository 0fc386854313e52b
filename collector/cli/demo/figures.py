"""What the live view shows of the poll cycles: each device's latest values, and how fast they come."""

from collections import deque
from dataclasses import dataclass, field
from typing import cast

from collector.cli.demo.report import Cycle
from protocols.base import Value

_CYCLES = 50
_WINDOW_S = 5.0
_SAMPLES = 3600


@dataclass(slots=True)
class Latest:
    """A device's newest cycle. `trends`: 1 where a value rose since the one before, -1 where it fell."""

    stamp_ms: int = 0
    values: dict[str, Value | None] = field(default_factory=dict)
    trends: dict[str, int] = field(default_factory=dict)
    good: int = 0
    bad: int = 0
    protocol: str = ""
    where: str = ""
    cycles: deque[float] = field(default_factory=lambda: deque(maxlen=_CYCLES))

    def cycles_per_s(self, now: float) -> float:
        """Over the last seconds; 0 before the second cycle."""
        recent = [at for at in self.cycles if now - at <= _WINDOW_S]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0


class Figures:
    """By device id. `depth` is the buffer's depth, once a second since the start."""

    def __init__(self) -> None:
        self.devices: dict[str, Latest] = {}
        self.depth: deque[int] = deque(maxlen=_SAMPLES)
        self.peak = 0
        self._second = -1

    def take(self, cycle: Cycle) -> None:
        """A cycle came in."""
        latest = self.devices.setdefault(cycle.device_id, Latest())
        latest.stamp_ms = cycle.stamp_ms
        latest.protocol, latest.where = cycle.protocol, cycle.where
        latest.good, latest.bad = len(cycle.names) - cycle.bad, cycle.bad
        latest.cycles.append(cycle.at)
        for name, each in zip(cycle.names, cycle.values, strict=True):
            value = cast("Value | None", each)  # JSON knows objects too; a scan has none
            latest.trends[name] = _trend(latest.values.get(name), value)
            latest.values[name] = value

    def note_depth(self, messages: int, elapsed_s: float) -> None:
        """So many messages wait now: within a second the most count."""
        self.peak = max(self.peak, messages)
        if int(elapsed_s) > self._second:
            self._second = int(elapsed_s)
            self.depth.append(messages)
        else:
            self.depth[-1] = max(self.depth[-1], messages)

    def values_per_s(self, now: float) -> float:
        """Good values of all devices."""
        return sum(latest.good * latest.cycles_per_s(now) for latest in self.devices.values())

    def cycles_per_s(self, now: float) -> float:
        """Cycles of all devices, each of which makes a message."""
        return sum(latest.cycles_per_s(now) for latest in self.devices.values())


def _trend(before: Value | None, after: Value | None) -> int:
    if isinstance(after, bool) or not (isinstance(before, int | float) and isinstance(after, int | float)):
        return 0
    return (after > before) - (after < before)
