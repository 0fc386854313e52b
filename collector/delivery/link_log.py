"""The broker connection's ups and downs in the log: each once, and not every try."""

import structlog

from collector.clock import Clock

_STEADY_S = 60.0
_AGAIN_S = 3600.0

log = structlog.get_logger()


class LinkLog:
    """A reason is told when it begins, and once an hour while it stays; a connection of a minute is a new beginning.

    So each reason has lines of its own, and the limit of the log holds none of them back: an outage that follows
    another within a minute is told when it happens, and so is its end.
    """

    def __init__(self, clock: Clock, url: str) -> None:
        self._clock = clock
        self._url = url
        self._told: dict[str, float] = {}
        self._latest = "broker"
        self._up_since: float | None = None
        self._news = True

    def up(self, version: str) -> None:
        """There was a CONNACK."""
        self._up_since = self._clock.monotonic()
        if self._news:
            log.info("connected to the broker", url=self._url, mqtt=version, _thing=self._latest)
        self._news = False

    def down(self, reason: str) -> None:
        """The connection was lost, or none came about."""
        now = self._clock.monotonic()
        if self._up_since is not None and now - self._up_since >= _STEADY_S:
            self._told.clear()
        self._up_since = None
        if reason not in self._told or now - self._told[reason] >= _AGAIN_S:
            self._told[reason] = now
            self._news = True
            self._latest = f"broker: {reason}"
            log.warning("no connection to the broker", url=self._url, reason=reason, _thing=self._latest)
