"""The times of one device's scans: as the wall clock says, and none twice, even where it was set back."""

from array import array

from collector.clock import Clock

REMEMBERED = 3_600


class Stamps:
    """Where the clock is set back, the last 3,600 stamps (an hour at one a second) are not given again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._previous_ms = 0
        self._given = array("q")
        self._oldest = 0
        self._taken: set[int] = set()
        self._taken_until_ms = 0

    def next_ms(self) -> int:
        """Now in ms since 1970 UTC; a millisecond or so later if that stamp was given before."""
        stamp_ms = self._clock.wall_ms()
        if stamp_ms <= self._previous_ms:
            self._taken.update(self._given)
            self._taken_until_ms = max(self._taken_until_ms, self._previous_ms)
        if stamp_ms <= self._taken_until_ms:
            while stamp_ms in self._taken:
                stamp_ms += 1
        elif self._taken:
            self._taken.clear()
        self._remember(stamp_ms)
        return stamp_ms

    def _remember(self, stamp_ms: int) -> None:
        self._previous_ms = stamp_ms
        if len(self._given) < REMEMBERED:
            self._given.append(stamp_ms)
        else:
            self._given[self._oldest] = stamp_ms
            self._oldest = (self._oldest + 1) % REMEMBERED
