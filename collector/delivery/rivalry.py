"""Two collectors with one client id: each connection ends the other's, for ever, unless somebody holds back."""

import random
from collections import deque

import structlog

from collector.status.board import Board

_CLOSES = 3
_WITHIN_S = 60.0
_SHORT_LIFE_S = 10.0
_OVER_AFTER_S = 600.0
_FIRST_S = 15.0
_LONGEST_S = 300.0

log = structlog.get_logger()


class Rivalry:
    """Notices such a fight and says how long to hold back. `install` tells this collector from the other one."""

    def __init__(self, board: Board, install: str) -> None:
        self.holding_back = False
        self._board = board
        self._install = install
        self._closes: deque[float] = deque(maxlen=_CLOSES)
        self._ceiling_s = _FIRST_S

    def closed(self, *, taken_over: bool, lived_s: float, now: float, client_id: str) -> None:
        """The broker closed a connection that had its CONNACK. `taken_over`: it said that another client did it."""
        if lived_s >= _OVER_AFTER_S:
            self._end()
        if not taken_over and lived_s >= _SHORT_LIFE_S:
            return
        self._closes.append(now)
        if len(self._closes) == _CLOSES and now - self._closes[0] <= _WITHIN_S:
            self._begin(client_id, certain=taken_over)

    def nobody_there(self) -> None:
        """TCP was refused: it was the broker that went down."""
        self._closes.clear()

    def lives(self, lived_s: float) -> None:
        """A connection stands: for long enough, and there is no rival any more."""
        if self.holding_back and lived_s >= _OVER_AFTER_S:
            self._end()

    def next_s(self) -> float:
        """How long to wait before the next attempt: never nothing, for the rival has to get its turn."""
        wait_s = random.uniform(self._ceiling_s / 2, self._ceiling_s)  # noqa: S311 - no secret in it
        self._ceiling_s = min(self._ceiling_s * 2, _LONGEST_S)
        return wait_s

    def _begin(self, client_id: str, *, certain: bool) -> None:
        if not self.holding_back:
            log.error("another client seems to have our client id", client_id=client_id, install=self._install)
        self.holding_back = True
        sure = "" if certain else ", or the broker closes for no reason it gives"
        self._board.raise_condition(
            "duplicate_identity", f"this is {self._install}; another collector uses {client_id}, too{sure}"
        )

    def _end(self) -> None:
        self._closes.clear()
        self._ceiling_s = _FIRST_S
        if self.holding_back:
            log.info("no other client has our client id any more")
        self.holding_back = False
        self._board.clear_condition("duplicate_identity")
