"""A queue that the broker does not let us publish for now."""

import asyncio
from collections.abc import Callable

from collector.delivery.backoff import Backoff

_SHORTEST_S = 1.0
_LONGEST_S = 30.0


class Hold:
    """While `active`, nothing more of the queue is sent; `due` says that it is time to try again."""

    def __init__(self, is_data: bool, release: Callable[["Hold"], None]) -> None:
        self.is_data = is_data
        self.active = False
        self.due = False
        self.timer: asyncio.TimerHandle | None = None
        self.backoff = Backoff(_LONGEST_S)
        self._release = release

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop the queue for a while; a stopped one stays as it is."""
        if not self.active:
            self.active = True
            self.timer = loop.call_later(max(_SHORTEST_S, self.backoff.next_s()), self._fall_due)

    def end(self) -> None:
        """Let the queue go on."""
        self.active = self.due = False

    def _fall_due(self) -> None:
        self.due, self.timer = True, None
        self._release(self)
