"""How long a broker may owe a PUBACK."""

PATIENCE_S = 10.0
_OVERDUE_S = 15.0


class Patience:
    """Measured in monotonic seconds from the last progress; `traffic` is (unsent, acknowledged by TCP) in bytes."""

    def __init__(self, now: float) -> None:
        self.exhausted = False
        self._progress_at = now
        self._looked_at = now
        self._traffic = (0, 0)

    def progress(self, now: float) -> None:
        """The oldest message was acknowledged, or the first was sent."""
        self._progress_at = now

    def look(self, now: float, traffic: tuple[int, int], *, waiting: bool) -> None:
        """To be called every second; `waiting`: whether a PUBACK is owed."""
        self._looked_at = now
        before, self._traffic = self._traffic, traffic
        # Bytes keep arriving at the broker's machine while others still wait for the line: it is only slow.
        line_is_slow = before[0] > 0 and traffic[0] > 0 and traffic[1] > before[1]
        if not waiting or line_is_slow:
            self._progress_at = now
        self.exhausted = now - self._progress_at >= PATIENCE_S

    @property
    def complaint(self) -> str:
        """What is said of the broker then."""
        return f"no PUBACK for {PATIENCE_S:g} s"

    def is_kept(self, now: float) -> bool:
        """Whether somebody still looks."""
        return now - self._looked_at < _OVERDUE_S
