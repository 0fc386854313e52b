"""Whether it is the status that a broker closes on: it goes first, so it could stop the data for good."""

import structlog

from collector.clock import Clock
from collector.delivery.mqtt.connection import Lost

_LOSSES_TO_SUSPECT = 3
_LEFT_OUT_S = 600.0

log = structlog.get_logger()


class StatusTrial:
    """Outlives the connections of one publisher. Sizes are payload bytes.

    After three connections in a row that took nothing of what waits, though perhaps the status (a broker of 3.1.1 may
    acknowledge what it closes on), it is left out. If another message passes then, a status of this size or more stays
    left out for ten minutes; if nothing does, it was innocent.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._losses = 0
        self._fruitful = False
        self._refused: int | None = None
        self._refused_at = 0.0
        self._proven = False

    def leaves_out(self, size: int) -> bool:
        """Whether a status of so many bytes is better not sent."""
        if self._refused is not None and self._clock.monotonic() - self._refused_at >= _LEFT_OUT_S:
            self._acquit()
        return self._refused is not None and size >= self._refused

    def others_pass(self) -> bool:
        """The broker answered another message; True if it shows for the first time that the status was to blame."""
        self._losses, self._fruitful = 0, True
        if self._refused is None or self._proven:
            return False
        self._proven = True
        log.warning("the broker closes on the status, which is left out for ten minutes", size=self._refused)
        return True

    def lost(self, size: int | None, lost: Lost, *, waiting: bool) -> None:
        """A connection is over; `size` is that of the status it got, if any; `waiting`: whether messages wait."""
        fruitful, self._fruitful = self._fruitful, False
        if fruitful or not waiting or not (lost.closed_by_broker or lost.malformed):
            return
        if size is None:
            if not self._proven:
                self._acquit()
            return
        self._losses += 1
        if self._losses >= _LOSSES_TO_SUSPECT:
            self._refused = size if self._refused is None else min(size, self._refused)
            self._refused_at = self._clock.monotonic()

    def _acquit(self) -> None:
        self._losses, self._refused, self._proven = 0, None, False
