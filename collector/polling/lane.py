"""One link and the devices that share it: polls each when it is due, in turn, over one session.

Between two polls it carries out at most one letter when the next poll is due, and any number while none is.
"""

import asyncio
import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

from collector.clock import Clock
from collector.config.plan import DevicePlan
from collector.polling.desk import CHANGED, Desk
from collector.polling.device import DevicePoller, ScanSink
from collector.polling.errors import DeviceAway
from collector.polling.mailbox import Errand, Letter, Mailbox, Result
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
        self.driver = driver
        self._clock = clock
        self._board = board
        self._deliver = deliver
        self._pollers: dict[str, DevicePoller] = {}
        self._session: PlcSession | None = None
        self._wake = asyncio.Event()
        self._mailbox = Mailbox(clock)
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
                self._dismiss(known)
            pollers[plan.id] = DevicePoller(
                self.driver,
                plan,
                first_due.get(plan.id, self._clock.monotonic()),
                clock=self._clock,
                board=self._board,
                deliver=self._deliver,
            )
        for gone in self._pollers.values():
            self._dismiss(gone)
        self._pollers = pollers
        self._wake.set()

    def polls(self, device_id: str) -> DevicePlan | None:
        """The plan by which it polls this device, None if it does not."""
        poller = self._pollers.get(device_id)
        return poller.plan if poller else None

    async def carry_out(
        self, plan: DevicePlan, errand: Errand[Result], deadline: float, *, insistent: bool = False
    ) -> Result:
        """Have an errand done between two polls, with the device's session; returns what it returns.

        Raises what it raises, or `NotCarriedOut`: `DeviceAway` at once where there is no session, unless it is
        `insistent`, for then it is tried to open one. Safe to cancel: a letter that waits is not carried out then.
        """
        poller = self._pollers.get(plan.id)
        if poller is None or poller.plan is not plan:
            raise DeviceAway(CHANGED)
        if not insistent and (away := self._away(poller)):
            raise DeviceAway(away)
        letter = Letter(plan.id, errand, deadline, insistent=insistent)
        self._mailbox.put(letter)
        self._wake.set()
        return await letter.answer

    async def run(self) -> None:
        """Poll until there is no device left; the session is closed whatever happens."""
        self.closed.clear()
        try:
            while self._pollers:
                if letter := self._mailbox.take():
                    await self._carry_out(letter)
                poller = min(self._pollers.values(), key=lambda candidate: candidate.due, default=None)
                if poller is not None and poller.due <= self._clock.monotonic():
                    await self._poll(poller)
                elif poller is not None and not self._mailbox:
                    await self._wait_until(poller.due)
        finally:
            self._mailbox.turn_away(DeviceAway("the device is not polled any more"))
            await self._drop_session()
            self.closed.set()

    async def _wait_until(self, due: float) -> None:
        self._wake.clear()
        # Rounded up to the timer's own milliseconds: one that fires too early would be waited for in a spin.
        delay_s = max(math.ceil((due - self._clock.monotonic()) * 1000 - ROUNDING), 1) / 1000
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
        try:
            session = self._session or await self._connect(poller)
        except SessionError as error:
            poller.skip(now, error)
            return
        try:
            await poller.poll(session, self._clock.monotonic())
        except SessionError as error:
            await self._failed(poller, error)
        else:
            self._probe.needless()
            self._failures, self._error, poller.resting = 0, None, None

    async def _connect(self, poller: DevicePoller) -> PlcSession:
        """Open the session. Raises `SessionError` after backing off."""
        try:
            self._session = await self.driver.connect(poller.plan.connection)
        except SessionError as error:
            poller.finding = await self._probe.finding(poller.plan, error)
            self._back_off(error)
            raise
        self._retry_at = 0.0
        return self._session

    def _away(self, poller: DevicePoller) -> str | None:
        """Why the device can not be asked now."""
        if self._session is None:
            return str(self._error or "there is no connection to it yet")
        if poller.resting is not None and self._clock.monotonic() < poller.resting_until:
            return str(poller.resting)
        return None

    def _dismiss(self, poller: DevicePoller) -> None:
        """Its plan is out of force, and with it what was asked of the device under it."""
        poller.retire()
        self._mailbox.turn_away(DeviceAway(CHANGED), poller.plan.id)

    async def _carry_out(self, letter: Letter[Any]) -> None:
        poller = self._pollers[letter.device_id]
        try:
            if letter.insistent and self._session is None:
                await self._connect(poller)
        except SessionError as error:
            letter.fail(error)
            return
        away = None if letter.insistent else self._away(poller)
        if self._session is None or away:
            letter.fail(DeviceAway(away or "there is no connection to it"))
            return
        desk = Desk(self.driver, poller, self._session, clock=self._clock, deadline=letter.deadline)
        await letter.carry_out(desk)
        if desk.broken is not None:
            await self._failed(poller, desk.broken)

    async def _failed(self, poller: DevicePoller, error: SessionError) -> None:
        """A silent unit on a shared link is asked rarely, so that it costs the others little; else begin anew."""
        if isinstance(error, NoAnswer) and len(self._pollers) > 1:
            poller.resting, poller.resting_until = error, self._clock.monotonic() + SILENT_UNIT_REST_S
            self._mailbox.turn_away(DeviceAway(str(error)), poller.plan.id)
            if any(other.resting is None for other in self._pollers.values()):
                return
            for other in self._pollers.values():  # it is the link that is silent: its own back-off counts
                other.resting = None
        self._mailbox.turn_away(DeviceAway(str(error)))
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
