"""One link and the devices that share it: polls each when it is due, in turn, over one session."""

import asyncio
import math
import random
from collections.abc import Iterable, Mapping

from collector.clock import Clock
from collector.config.plan import DevicePlan
from collector.polling.device import DevicePoller, ScanSink
from collector.polling.probe import DriverOf, ProtocolProbe
from collector.status.board import Board
from protocols.base import PlcDriver, PlcSession
from protocols.errors import NoAnswer, SessionError

BACKOFF_MAX_S = 30.0
DOUBLINGS = 5  # past which the wait is the longest anyway; a device may be away for weeks
SILENT_UNIT_REST_S = 30.0
ROUNDING = 1e-3


class Lane:
    """Owns one session. Its devices can be exchanged while it runs; those that stay do not notice."""

    def __init__(
        self,
        driver: PlcDriver,
        *,
        clock: Clock,
        board: Board,
        deliver: ScanSink,
        driver_of: DriverOf,
    ) -> None:
        self._driver = driver
        self._clock = clock
        self._board = board
        self._deliver = deliver
        self._pollers: dict[str, DevicePoller] = {}
        self._session: PlcSession | None = None
        self._wake = asyncio.Event()
        self._probe = ProtocolProbe(driver_of)
        self._failures = 0
        self._error: SessionError | None = None
        self._retry_at = 0.0
        self.closed = asyncio.Event()
        self.closed.set()

    @property
    def devices(self) -> tuple[DevicePlan, ...]:
        """The plans it polls now."""
        return tuple(poller.plan for poller in self._pollers.values())

    def keep(self, plans: Iterable[DevicePlan], first_due: Mapping[str, float]) -> None:
        """Poll exactly these devices from now on. One whose plan is equal keeps its schedule and lessons."""
        pollers: dict[str, DevicePoller] = {}
        for plan in plans:
            known = self._pollers.pop(plan.id, None)
            if known is not None and known.plan == plan:
                pollers[plan.id] = known
                continue
            if known is not None:
                known.retire()
            pollers[plan.id] = DevicePoller(
                self._driver,
                plan,
                first_due.get(plan.id, self._clock.monotonic()),
                clock=self._clock,
                board=self._board,
                deliver=self._deliver,
            )
        for gone in self._pollers.values():
            gone.retire()
        self._pollers = pollers
        self._wake.set()

    async def run(self) -> None:
        """Poll until there is no device left; the session is closed whatever happens."""
        self.closed.clear()
        try:
            while self._pollers:
                poller = min(self._pollers.values(), key=lambda candidate: candidate.due)
                if poller.due > self._clock.monotonic():
                    await self._wait_until(poller.due)
                else:
                    await self._poll(poller)
        finally:
            await self._drop_session()
            self.closed.set()

    async def _wait_until(self, due: float) -> None:
        self._wake.clear()
        # Rounded up to the timer's own milliseconds: one that fires too early would be waited for in a spin.
        delay_s = math.ceil((due - self._clock.monotonic()) * 1000 - ROUNDING) / 1000
        timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)
        try:
            await self._wake.wait()
        finally:
            timer.cancel()

    async def _poll(self, poller: DevicePoller) -> None:
        now = self._clock.monotonic()
        if self._error is not None and now < self._retry_at:
            poller.skip(now, self._error)
        elif poller.resting is not None and now < poller.resting_until:
            poller.skip(now, poller.resting)
        else:
            await self._ask(poller, now)

    async def _ask(self, poller: DevicePoller, now: float) -> None:
        if self._session is None:
            try:
                self._session = await self._driver.connect(poller.plan.connection)
            except SessionError as error:
                poller.finding = await self._probe.finding(poller.plan, error)
                poller.skip(now, error)
                self._back_off(error)
                return
        try:
            await poller.poll(self._session, self._clock.monotonic())
        except SessionError as error:
            await self._failed(poller, error)
        else:
            self._probe.needless()
            self._failures, self._error, poller.resting = 0, None, None

    async def _failed(self, poller: DevicePoller, error: SessionError) -> None:
        """A silent unit on a shared link is asked rarely, so that it costs the others little; else begin anew."""
        if isinstance(error, NoAnswer) and len(self._pollers) > 1:
            poller.resting, poller.resting_until = error, self._clock.monotonic() + SILENT_UNIT_REST_S
            if any(other.resting is None for other in self._pollers.values()):
                return
            for other in self._pollers.values():  # it is the link that is silent: its own back-off counts
                other.resting = None
        await self._drop_session()
        poller.finding = await self._probe.finding(poller.plan, error)
        self._back_off(error)

    def _back_off(self, error: SessionError) -> None:
        """At once after the first failure, for a device that just restarted; then 1 s and doubling, with jitter."""
        self._failures += 1
        self._error = error
        doublings = min(self._failures - 2, DOUBLINGS)
        delay_s = min(2.0**doublings, BACKOFF_MAX_S) if self._failures > 1 else 0.0
        self._retry_at = self._clock.monotonic() + delay_s * random.uniform(0.8, 1.2)  # noqa: S311

    async def _drop_session(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()
