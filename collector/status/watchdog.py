"""Says to the service manager that the process lives, for as long as all that must live does."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from collector.clock import Clock
from collector.status.service_manager import ServiceManager

SIGN_WITHIN_S = 5.0

Sign = Callable[[], Awaitable[bool]]
"""A sign of life: whether it lives. Waited for 5 s at most."""

log = structlog.get_logger()


class Watchdog:
    """Asks each part for a sign of life, three times in the service manager's patience; the loop gives its own by
    being in time. A part that gives none is named once, and the process is not said to live until it does again."""

    def __init__(self, manager: ServiceManager, signs: Mapping[str, Sign], clock: Clock) -> None:
        self._manager = manager
        self._signs = signs
        self._clock = clock
        self._dead: frozenset[str] = frozenset()

    async def run(self) -> None:
        """For ever; at once nothing, where nobody watches."""
        if self._manager.watchdog_s is None:
            return
        every_s = self._manager.watchdog_s / 3
        while True:
            due = self._clock.monotonic() + every_s
            await self.look()
            await asyncio.sleep(max(0.0, due - self._clock.monotonic()))
            late_s = self._clock.monotonic() - due
            if late_s > SIGN_WITHIN_S:
                log.error("the event loop was held up", seconds=round(late_s, 1))

    async def look(self) -> None:
        """One round."""
        dead = frozenset([name for name, sign in self._signs.items() if not await self._lives(sign)])
        for name in sorted(dead - self._dead):
            log.error("no sign of life; the process will be restarted", part=name)
        self._dead = dead
        if not dead:
            self._manager.alive()

    async def _lives(self, sign: Sign) -> bool:
        try:
            async with asyncio.timeout(SIGN_WITHIN_S):
                return await sign()
        except TimeoutError:
            return False
