"""When a value passes a limit, and when it is back. Pure: time is handed in."""

from collections.abc import Iterator
from math import isfinite

from collector.alarms.alarm import Level, State
from collector.alarms.errors import ThresholdsRefused
from collector.config.plan import Thresholds

Number = int | float


class Limit:
    """One limit of one tag.

    It is passed by a value beyond it, not by the limit itself; raised when it has been for `delay_s`; and left by a
    value that is back behind it by the hysteresis.
    """

    __slots__ = ("_back", "_below", "_delay_s", "_passed_at", "level", "limit", "raised", "since_ms")

    def __init__(self, level: Level, limit: float, *, hysteresis: float, delay_s: float, raised: bool) -> None:
        self.level = level
        self.limit = limit
        self.raised = raised
        self.since_ms = 0
        self._below = level in (Level.LOW_LOW, Level.LOW)
        self._back = limit + hysteresis if self._below else limit - hysteresis
        self._delay_s = delay_s
        self._passed_at: float | None = None

    def look(self, value: Number, stamp_ms: int, now: float) -> State | None:
        """What a good value of this stamp changes; `now` is monotonic seconds."""
        if self.raised:
            if value < self._back if self._below else value > self._back:
                return None
            self.raised = False
            return State.LEFT
        if not (value < self.limit if self._below else value > self.limit):
            self._passed_at = None
            return None
        if self._passed_at is None:
            self._passed_at, self.since_ms = now, stamp_ms
        if now - self._passed_at < self._delay_s:
            return None
        self._passed_at = None
        self.raised = True
        return State.RAISED


def limits_of(thresholds: Thresholds) -> Iterator[tuple[Level, float]]:
    """The limits that are set."""
    for level in (Level.LOW_LOW, Level.LOW, Level.HIGH, Level.HIGH_HIGH):
        limit: float | None = getattr(thresholds, level)
        if limit is not None:
            yield level, limit


def check(thresholds: Thresholds) -> None:
    """Raises `ThresholdsRefused` for what makes no sense."""
    limits = [limit for _, limit in limits_of(thresholds)]
    if not limits:
        raise ThresholdsRefused("expected at least one of low_low, low, high, high_high")
    if not all(map(isfinite, (*limits, thresholds.hysteresis, thresholds.delay_s))):
        raise ThresholdsRefused("expected numbers, found one that is infinite or none")
    if limits != sorted(limits):
        raise ThresholdsRefused("expected low_low <= low <= high <= high_high")
    if thresholds.hysteresis < 0 or thresholds.delay_s < 0:
        raise ThresholdsRefused("expected a hysteresis and a delay of at least 0")
