"""How fast what waits on disk goes out: fast into a fast broker, gently into a slow one."""

PROMPT_S = 0.1
SLOW_S = 1.0
_STEP_S = 0.1
_SLOWEST = 20.0
_OVER_LIVE = 4.0
_LEAST_OVER_LIVE = 1.5
_BURST_S = 0.05
_LARGEST = 1e6
_QUICK, _CAREFUL = 2.0, 1.1


class Pace:
    """An allowance of messages a second. `fixed`: always that many; None: as the PUBACKs say.

    Begins at four times the live rate, at least 20. Doubles ten times a second while PUBACKs come within 100 ms and
    the allowance is used up; halves when they take over a second, and then grows by a tenth only. Never falls below
    one and a half times the live rate, for a backlog has to end. Times are monotonic seconds.
    """

    def __init__(self, fixed: float | None = None) -> None:
        self.rate = fixed or _SLOWEST
        self._fixed = fixed
        self._least = 1.0
        self._growth = _QUICK
        self._allowance = 1.0
        self._counted_at = 0.0
        self._stepped_at = 0.0
        self._halved_at = 0.0
        self._short = False
        self._prompt = True

    def begin(self, live_rate: float, now: float) -> None:
        """A backlog begins to go out, beside so many new messages a second."""
        if self._fixed is None:
            self.rate = max(_SLOWEST, _OVER_LIVE * live_rate)
            self._least = max(1.0, _LEAST_OVER_LIVE * live_rate)
        self._growth, self._allowance = _QUICK, 1.0
        self._counted_at = self._stepped_at = self._halved_at = now
        self._short, self._prompt = False, True

    def wait_s(self, now: float) -> float:
        """How long until the next message may go; 0 for at once."""
        gained = (now - self._counted_at) * self.rate
        self._allowance = min(self._allowance + gained, max(1.0, self.rate * _BURST_S))
        self._counted_at = now
        if self._allowance >= 1:
            return 0.0
        self._short = True
        return (1 - self._allowance) / self.rate

    def sent(self) -> None:
        """One message went."""
        self._allowance -= 1

    def acknowledged(self, sent_at: float, now: float) -> None:
        """A PUBACK came."""
        took_s = now - sent_at
        if took_s > SLOW_S:
            self.slow(sent_at, now)
        elif took_s > PROMPT_S:
            self._prompt = False
        if now - self._stepped_at >= _STEP_S:
            if self._prompt and self._short and self._fixed is None:
                self.rate = min(self.rate * self._growth, _LARGEST)
            self._stepped_at, self._short, self._prompt = now, False, True

    def slow(self, sent_at: float, now: float) -> None:
        """A PUBACK took, or has taken, over a second. What was sent before the last halving counts only once."""
        self._prompt = False
        if self._fixed is None and sent_at >= self._halved_at:
            self.rate = max(self.rate / 2, self._least)
            self._growth, self._halved_at = _CAREFUL, now


class LiveRate:
    """New data messages a second, from the numbers they are given."""

    def __init__(self, seq: int, now: float) -> None:
        self.per_s = 0.0
        self._seq = seq
        self._at = now

    def look(self, seq: int, now: float) -> None:
        """The newest number as of now. To be called about once a second, or after a long while."""
        passed_s = max(now - self._at, 1.0)
        weight = min(1.0, passed_s / 5)
        self.per_s += weight * ((seq - self._seq) / passed_s - self.per_s)
        self._seq, self._at = seq, now
