"""The tags of one device that share an interval: reads them, learns which addresses the device refuses.

A refused block is halved until the tags to blame are found. They are set aside, reported, and tried again one by
one at long intervals; the rest goes on in whole blocks.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import cast

from collector.config.plan import DevicePlan, PollGroup
from protocols.base import Cycle, Lessons, Negotiated, PlcDriver, PlcSession, Request
from protocols.errors import RequestRefused, SessionLost
from protocols.pipelining import Pipelining
from protocols.quality import Quality

RETRY_SET_ASIDE_S = 300.0
RETRIES_A_CYCLE = 4
ISOLATION_REQUESTS_A_CYCLE = 64
ILL_PAUSE_S = 60.0
STUCK_AFTER_TIMEOUTS = 3  # a session keeps its own deadline; this one is for a session that does not


@dataclass(slots=True)
class SetAside:
    """A tag the device refuses on its own, and when to ask for it again (monotonic seconds)."""

    quality: Quality
    message: str
    retry_at: float


class GroupReader:
    """Reads one `PollGroup` of one device through whatever session the lane has at the moment."""

    def __init__(self, driver: PlcDriver, plan: DevicePlan, group: PollGroup) -> None:
        self._driver = driver
        self._plan = plan
        self._group = group
        self._lessons = Lessons()
        self._connection = plan.connection
        self.requests: tuple[Request, ...] = group.requests
        self.set_aside: dict[int, SetAside] = {}
        # Of a request in the last cycle; None where the tags to blame were found: these have reasons of their own.
        self.last_refusal: str | None = None
        self.isolation_budget = 0
        self._ill_until = 0.0
        self._limit_s = STUCK_AFTER_TIMEOUTS * plan.connection.timeout_s
        self._loop: asyncio.AbstractEventLoop
        self._guard = asyncio.timeout(None)
        self._watch: asyncio.TimerHandle | None = None
        self._asking: Request | None = None
        self._asked_at: float | None = None
        self._session: PlcSession | None = None
        self._negotiated: Negotiated | None = None
        self._pipelining: Pipelining | None = None

    async def read(self, session: PlcSession, cycle: Cycle, now: float) -> None:
        """Fill `cycle` (positions of the group). Raises `SessionError`; what was read before it stays in `cycle`."""
        self.last_refusal = None
        self.isolation_budget = ISOLATION_REQUESTS_A_CYCLE
        if session is not self._session:
            # Asking a class whether it has a method is dear: once a session is enough.
            self._session, self._negotiated = session, session if isinstance(session, Negotiated) else None
            can_ask_ahead = isinstance(session, Pipelining) and not self._plan.request_delay_s
            self._pipelining = cast(Pipelining, session) if can_ask_ahead else None
        self._heed()
        self._loop = asyncio.get_running_loop()
        self._asked_at = self._loop.time()
        if self._watch is None:
            self._watch = self._loop.call_later(self._limit_s, self._look)
        try:
            async with asyncio.timeout(None) as self._guard:
                await self._read_all(session, cycle, now)
        except TimeoutError:
            where, subject = self._plan.connection.where, self._asking.subject if self._asking else "a request"
            raise SessionLost(f"{where} hung at {subject} for {self._limit_s:g} s") from None
        finally:
            self._asked_at = None
            self._announce(())

    def _look(self) -> None:
        """Whether what was asked last has hung. One timer serves all: most are answered long before it rings."""
        self._watch = None
        if self._asked_at is None:
            return
        left_s = self._asked_at + self._limit_s - self._loop.time()
        if left_s > 0:
            self._watch = self._loop.call_later(left_s, self._look)
        else:
            self._guard.reschedule(self._loop.time())

    def _heed(self) -> None:
        """Plan anew if this session has other limits than the plan was made for."""
        connection = self._plan.connection
        granted = self._negotiated.granted(connection) if self._negotiated else connection
        if granted is not self._connection and granted != self._connection:
            self._connection = granted
            self._replan(self._lessons.breaks)

    def retry_soon(self, now: float) -> None:
        """Ask for everything set aside again: the device was away and may have come back another."""
        for aside in self.set_aside.values():
            aside.retry_at = min(aside.retry_at, now)

    async def read_part(self, session: PlcSession, tags: Sequence[int], cycle: Cycle) -> None:
        """Read only these tags of the group. Raises `RequestRefused` or `SessionError`."""
        points = [self._group.points[tag] for tag in tags]
        part = Cycle([None] * len(tags))
        try:
            for request in self._driver.compile(self._connection, points):
                await self._ask(session, request, part)
        except RequestRefused as refusal:
            if refusal.tags is not None:
                refusal.tags = tuple(tags[position] for position in refusal.tags)
            raise
        finally:
            for position, tag in enumerate(tags):
                cycle.values[tag] = part.values[position]
                if position in part.bad:
                    cycle.bad[tag] = part.bad[position]
                else:
                    cycle.bad.pop(tag, None)
                if position in part.words:
                    cycle.words[tag] = part.words[position]

    def _announce(self, requests: Sequence[Request]) -> int:
        """How many answers a read may have to wait for."""
        return self._pipelining.announce(self._connection, requests) if self._pipelining else 1

    async def _read_all(self, session: PlcSession, cycle: Cycle, now: float) -> None:
        answers, plan = self._announce(self.requests), self._plan
        self._limit_s = (STUCK_AFTER_TIMEOUTS + answers - 1) * plan.connection.timeout_s + plan.request_delay_s
        for request in self.requests:
            try:
                await self._ask(session, request, cycle)
            except RequestRefused as refusal:
                await self._isolate(session, cycle, now, request, refusal)
        if self.set_aside:
            await self._retry_set_aside(session, cycle, now)

    def _ask(self, session: PlcSession, request: Request, cycle: Cycle) -> Awaitable[None]:
        self._asking, self._asked_at = request, self._loop.time()
        reading = session.read(request, cycle)
        return self._then_rest(reading) if self._plan.request_delay_s else reading

    async def _then_rest(self, reading: Awaitable[None]) -> None:
        await reading
        await asyncio.sleep(self._plan.request_delay_s)

    def learn(self, aside: dict[int, SetAside], breaks: set[int]) -> None:
        """Plan around what the device refused from now on."""
        self.set_aside.update(aside)
        self._replan(self._lessons.breaks | breaks)

    async def _isolate(
        self, session: PlcSession, cycle: Cycle, now: float, request: Request, refusal: RequestRefused
    ) -> None:
        isolation = _Isolation(self, session, cycle, now)
        if refusal.quality is Quality.DEVICE_ERROR and now < self._ill_until:
            self.last_refusal = str(refusal)
            isolation.give_up(request.tags, refusal)
            return
        await isolation.run(request.tags, refusal)
        ill = refusal.quality is Quality.DEVICE_ERROR and len(isolation.blamed) == len(request.tags)
        if not ill and (isolation.blamed or isolation.breaks):
            self.learn(isolation.blamed, isolation.breaks)
            return
        self.last_refusal = str(refusal)
        if ill:
            # A device that fails at every address is ill itself: its addresses may be well.
            self._ill_until = now + ILL_PAUSE_S

    async def _retry_set_aside(self, session: PlcSession, cycle: Cycle, now: float) -> None:
        due = [tag for tag, aside in self.set_aside.items() if aside.retry_at <= now][:RETRIES_A_CYCLE]
        healed = False
        for tag in due:
            aside = self.set_aside[tag]
            aside.retry_at = now + RETRY_SET_ASIDE_S
            try:
                await self.read_part(session, [tag], cycle)
            except RequestRefused as refusal:
                aside.quality, aside.message = refusal.quality, str(refusal)
            else:
                del self.set_aside[tag]
                healed = True
        for tag, aside in self.set_aside.items():
            cycle.bad[tag] = aside.quality
        if healed:
            self._replan(self._lessons.breaks)

    def _replan(self, breaks: frozenset[int] | set[int]) -> None:
        self._lessons = Lessons(frozenset(self.set_aside), frozenset(breaks))
        self.requests = self._driver.compile(self._connection, self._group.points, self._lessons)


class _Isolation:
    """Finds out which tags of a refused request are to blame, reading the others on the way."""

    def __init__(self, reader: GroupReader, session: PlcSession, cycle: Cycle, now: float) -> None:
        self._reader = reader
        self._session = session
        self._cycle = cycle
        self._now = now
        self.blamed: dict[int, SetAside] = {}
        self.breaks: set[int] = set()

    async def run(self, tags: tuple[int, ...], refusal: RequestRefused) -> None:
        """Blame within `tags`, which were refused together."""
        tags = tags if refusal.tags is None else refusal.tags
        if not refusal.isolate and not refusal.whole:
            self.give_up(tags, refusal)
        elif refusal.whole or len(tags) == 1:
            self._blame(tags, refusal)
        else:
            middle = len(tags) // 2
            left, right = tags[:middle], tags[middle:]
            refused = [await self._try(left), await self._try(right)]
            if not any(refused) and refusal.quality is Quality.BAD_ADDRESS:
                # Each half is readable alone: what lies between is not, or the device allows no more at once.
                self.breaks.add(right[0])

    def give_up(self, tags: tuple[int, ...], refusal: RequestRefused) -> None:
        """These have no value in this cycle, and nobody is to blame for it."""
        for tag in tags:
            self._cycle.bad[tag] = refusal.quality

    async def _try(self, tags: tuple[int, ...]) -> bool:
        """Read these alone, or find out what is wrong within them; whether they were refused together."""
        if self._reader.isolation_budget <= 0:
            for tag in tags:
                self._cycle.bad[tag] = Quality.NO_VALUE
            return True
        self._reader.isolation_budget -= 1
        try:
            await self._reader.read_part(self._session, tags, self._cycle)
        except RequestRefused as refusal:
            await self.run(tags, refusal)
            return True
        return False

    def _blame(self, tags: tuple[int, ...], refusal: RequestRefused) -> None:
        self.give_up(tags, refusal)
        for tag in tags:
            self.blamed[tag] = SetAside(refusal.quality, str(refusal), self._now + RETRY_SET_ASIDE_S)
