"""How many alarm events go out: all of them, until there are more than anybody can read.

A source sends at most six in a minute, all together sixty at once and one a second from then on. What is held back is
not lost: of each source the latest state waits, and goes out in turn.
"""

from collections import deque
from collections.abc import Callable

from collector.alarms.alarm import Alarm, Source, State

EVENTS_AT_ONCE = 60
EVENTS_A_SECOND = 1.0
EVENTS_A_SOURCE = 6
MINUTE_S = 60.0


class Announcer:
    """Times are monotonic seconds."""

    def __init__(self, tell: Callable[[Alarm, State], None], now: float) -> None:
        self._tell = tell
        self._owed: dict[Source, tuple[Alarm, State]] = {}
        self._sent: dict[Source, deque[float]] = {}
        self._left = float(EVENTS_AT_ONCE)
        self._counted_at = now

    @property
    def waiting(self) -> int:
        """How many sources have something to tell that is held back."""
        return len(self._owed)

    def announce(self, alarm: Alarm, state: State, now: float) -> None:
        """Tell a change of an alarm, at once or in its turn."""
        self._owed[alarm.source] = alarm, state
        self.catch_up(now)

    def catch_up(self, now: float) -> None:
        """Tell what has been held back, as far as it may go out now."""
        self._left = min(EVENTS_AT_ONCE, self._left + (now - self._counted_at) * EVENTS_A_SECOND)
        self._counted_at = now
        for source in [source for source in self._owed if self._ready_at(source) <= now]:
            if self._left < 1:
                return
            self._left -= 1
            self._sent.setdefault(source, deque(maxlen=EVENTS_A_SOURCE)).append(now)
            self._tell(*self._owed.pop(source))

    def due_in(self, now: float) -> float | None:
        """In how many seconds the next one may go out; None if nothing waits."""
        if not self._owed:
            return None
        next_left = (1 - self._left) / EVENTS_A_SECOND
        return max(0.0, next_left, min(map(self._ready_at, self._owed)) - now)

    def _ready_at(self, source: Source) -> float:
        sent = self._sent.get(source)
        return sent[0] + MINUTE_S if sent and len(sent) == EVENTS_A_SOURCE else 0.0
