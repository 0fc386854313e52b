"""Whether the wall clock can be believed. Stamps are never changed: doubt is marked, and steps are told."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

import structlog

from collector.clock import Clock, iso_utc
from collector.status.board import Board

log = structlog.get_logger()

CODE = "clock_unsynced"
STEP_MS = 2_000
TOLERANCE_MS = 60_000
OPINION_HOLDS_S = 86_400.0
LOOK_EVERY_S = 5.0
NOTE_EVERY_S = 3600.0


class ClockWatch:
    """Holds the wall clock against what is known: the age of this version, the latest time seen, a server's time.

    `built_ms` and `seen_ms` are wall times in ms. `remember` stores the latest time seen, and may be called from
    another thread; `tell` publishes an event of a type with its fields. A server's opinion outweighs the rest and
    holds for a day, carried on by the monotonic clock.
    """

    def __init__(
        self,
        clock: Clock,
        board: Board,
        *,
        built_ms: int,
        seen_ms: int,
        remember: Callable[[int], None],
        tell: Callable[[str, Mapping[str, object]], None],
    ) -> None:
        self._clock = clock
        self._board = board
        self._built_ms = built_ms
        self._seen_ms = seen_ms
        self._remember = remember
        self._tell = tell
        self._server_ahead_ms: float | None = None
        self._server_asked_at = 0.0
        self._ahead_ms = self._ahead()
        self._doubt: str | None = None
        self._judge()

    def in_doubt(self) -> bool:
        """Whether the time is doubtful just now."""
        self._look()
        return self._doubt is not None

    def heard(self, server_time: datetime) -> None:
        """A server said what time it is, just now; its word has a resolution of a second."""
        self._look()
        now = self._clock.monotonic()
        self._server_ahead_ms, self._server_asked_at = server_time.timestamp() * 1000 - now * 1000, now
        self._judge()

    async def run(self) -> None:
        """Look every few seconds, and remember the time once an hour and at the end."""
        try:
            while True:
                await asyncio.to_thread(self._remember, self._latest())
                due = self._clock.monotonic() + NOTE_EVERY_S
                while self._clock.monotonic() < due:
                    await asyncio.sleep(LOOK_EVERY_S)
                    self.in_doubt()
        finally:
            await asyncio.to_thread(self._remember, self._latest())

    def _ahead(self) -> float:
        return self._clock.wall_ms() - self._clock.monotonic() * 1000

    def _latest(self) -> int:
        return max(self._seen_ms, self._clock.wall_ms())

    def _look(self) -> None:
        ahead_ms = self._ahead()
        by_ms, self._ahead_ms = ahead_ms - self._ahead_ms, ahead_ms
        if abs(by_ms) >= STEP_MS:
            self._stepped(by_ms)
        elif self._doubt is not None:
            self._judge()

    def _stepped(self, by_ms: float) -> None:
        self._seen_ms = max(self._seen_ms, int(self._clock.wall_ms() - by_ms))
        log.warning("the wall clock was set", by_sec=round(by_ms / 1000, 3), now=iso_utc(self._clock.wall_ms()))
        self._judge()
        self._tell("clock_step", {"by_sec": round(by_ms / 1000, 3)})

    def _judge(self) -> None:
        doubt = self._reason(self._clock.wall_ms())
        if doubt is None:
            if self._doubt is not None:
                log.info("the wall clock can be believed again")
                self._board.clear_condition(CODE)
        elif doubt != self._doubt:
            if self._doubt is None:
                log.warning("the wall clock is in doubt", reason=doubt)
            self._board.raise_condition(CODE, doubt)
        self._doubt = doubt

    def _reason(self, wall_ms: int) -> str | None:
        now = self._clock.monotonic()
        if self._server_ahead_ms is not None and now - self._server_asked_at <= OPINION_HOLDS_S:
            off_ms = wall_ms - (self._server_ahead_ms + now * 1000)
            if abs(off_ms) > TOLERANCE_MS:
                side = "ahead of" if off_ms > 0 else "behind"
                return f"over {TOLERANCE_MS // 1000} s {side} the Fleet server's time; set the clock of one of the two"
            self._seen_ms = wall_ms
            return None
        if wall_ms < self._built_ms:
            return f"before {iso_utc(self._built_ms)}, and this version is no older; set the gateway's clock"
        if wall_ms < self._seen_ms:
            return (
                f"before {iso_utc(self._seen_ms)}, a time seen here before; set the gateway's clock, or delete "
                "DATA_DIR/clock_seen if it is right now"
            )
        return None
