"""Whether anybody listens: MQTT 5 says of each message if it had no subscriber."""

from collector.clock import Clock
from collector.delivery.mqtt.reasons import NO_SUBSCRIBER
from collector.status.board import Board

_TELL_AFTER_S = 600.0


class Audience:
    """Counts the data that nobody heard, and says so when it has been all of it for ten minutes."""

    def __init__(self, clock: Clock, board: Board) -> None:
        self._clock = clock
        self._board = board
        self._since: float | None = None

    def acknowledged(self, code: int) -> None:
        """The broker took a data message, with this code."""
        if code != NO_SUBSCRIBER:
            self._since = None
            self._board.clear_condition("no_consumer")
            return
        now = self._clock.monotonic()
        broker = self._board.broker
        broker.unheard += 1
        self._since = now if self._since is None else self._since
        if now - self._since >= _TELL_AFTER_S:
            detail = (
                f"the broker takes the data and nobody has subscribed: {self._board.broker.unheard} messages so far"
            )
            self._board.raise_condition("no_consumer", detail)
