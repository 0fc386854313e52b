"""What a command may do with a device while its letter is being carried out: read tags, write one, ask."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal

from collector.clock import Clock
from collector.config.plan import DevicePlan
from collector.polling.derived import Derivation, Row
from collector.polling.device import DevicePoller
from collector.polling.errors import DeviceAway, WaitedTooLong
from collector.polling.group import ISOLATION_REQUESTS_A_CYCLE, STUCK_AFTER_TIMEOUTS
from protocols.base import Checking, Connection, Cycle, Negotiated, PlcDriver, PlcSession, Point, TagSpec, Value, Write
from protocols.errors import NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.quality import Quality

CHANGED = "its configuration changed while the command waited; nothing more was sent to it"


@dataclass(frozen=True, slots=True)
class Found:
    """A tag as it was just read: `value` as it is published, `raw` as the device has it; None where there is none."""

    value: Value | None
    raw: Value | None
    quality: Quality | None = None


class Desk:
    """One device's session in the hands of one letter. `broken` is what ended the session meanwhile, if anything."""

    def __init__(
        self, driver: PlcDriver, poller: DevicePoller, session: PlcSession, *, clock: Clock, deadline: float
    ) -> None:
        self.driver = driver
        self.plan = poller.plan
        self.session = session
        self.clock = clock
        self.broken: SessionError | None = None
        self._poller = poller
        self._deadline = deadline

    def check(self) -> None:
        """Whether there is still time to begin something. Raises `WaitedTooLong`, or `DeviceAway` after a reload."""
        if self._poller.retired:
            raise DeviceAway(CHANGED)
        if self.clock.monotonic() >= self._deadline:
            raise WaitedTooLong("its time was over before all of it was done")

    async def read(self, tags: Sequence[int]) -> dict[int, Found]:
        """Read these tags (positions in the plan's names), computed ones with what they are computed from.

        What the device refuses has a quality. Raises `SessionError`.
        """
        specs = {tag: spec for tag in self._with_inputs(tags) if (spec := self.plan.specs[tag]) is not None}
        rows, raws = await self._read_rows(specs)
        Derivation(self.plan).complete(rows)
        found = {}
        for tag in tags:
            row = rows.get(tag, Row(None, Quality.NO_VALUE))
            found[tag] = Found(row.value, raws.get(tag), row.quality)
        return found

    async def check_fits(self, order: Write) -> None:
        """Whether the tag's type in the device holds the value, where only the device knows its types.

        Raises `RequestRefused` or `SessionError`; nothing is written.
        """
        if isinstance(self.session, Checking):
            async with self.asking(order.subject):
                await self.session.check(order)

    async def write(self, order: Write) -> None:
        """Write once. Raises `RequestRefused`, or `SessionError`: then it is not known whether it was carried out."""
        try:
            async with self.asking(order.subject):
                await self.session.write(order)
        except NoAnswer as error:
            # Also where other units share the link: what is still on its way goes down with the connection.
            self.broken = SessionLost(str(error))
            raise

    async def ask(self) -> str | None:
        """One question, for the sake of the answer: any is a sign of life. Returns what the device refused, if it did.

        Raises `SessionError`.
        """
        point = self._points(next(spec for spec in self.plan.specs if spec is not None))[0]
        for request in self.driver.compile(self._connection(), [point]):
            try:
                async with self.asking(request.subject):
                    await self.session.read(request, Cycle([None]))
            except RequestRefused as refusal:
                return str(refusal)
        return None

    @asynccontextmanager
    async def asking(self, subject: str) -> AsyncIterator[None]:
        """One exchange with the device: bounded, followed by the pause it needs, and remembered if it breaks."""
        limit_s = STUCK_AFTER_TIMEOUTS * self.plan.connection.timeout_s
        try:
            async with asyncio.timeout(limit_s):
                yield
        except TimeoutError:
            self.broken = SessionLost(f"{self.plan.connection.where} hung at {subject} for {limit_s:g} s")
            raise self.broken from None
        except SessionError as error:
            self.broken = error
            raise
        if self.plan.request_delay_s:
            await asyncio.sleep(self.plan.request_delay_s)

    def _with_inputs(self, tags: Iterable[int]) -> list[int]:
        """The tags and all that computed ones among them are computed from."""
        wanted = set(tags)
        for computed in reversed(self.plan.computed):  # each stands after its inputs
            if computed.tag in wanted:
                wanted.update(computed.inputs)
        return sorted(wanted)

    async def _read_rows(self, specs: Mapping[int, TagSpec]) -> tuple[dict[int, Row], dict[int, Value]]:
        """Value and raw value of each tag stand in one request wherever possible, so that they belong together."""
        connection, tags = self._connection(), list(specs)
        points = [point for spec in specs.values() for point in self._points(spec)]
        cycle = Cycle([None] * len(points))
        refused = await self._read_points(connection, points, cycle)
        for number, position in enumerate(refused if len(refused) > 1 else ()):
            if number == ISOLATION_REQUESTS_A_CYCLE:
                break
            await self._read_alone(connection, points, position, cycle)
        rows, raws = {}, {}
        for position, tag in enumerate(tags):
            value, raw = cycle.values[2 * position : 2 * position + 2]
            missing = Quality.NO_VALUE if value is None else None
            rows[tag] = Row(value, cycle.bad.get(2 * position, missing))
            if raw is not None:
                raws[tag] = raw
        return rows, raws

    async def _read_points(self, connection: Connection, points: Sequence[Point], cycle: Cycle) -> list[int]:
        """Fill the cycle; returns the tags of refused requests, by position among those asked for."""
        refused: set[int] = set()
        for request in self.driver.compile(connection, points):
            try:
                async with self.asking(request.subject):
                    await self.session.read(request, cycle)
            except RequestRefused as refusal:
                blamed = request.tags if refusal.tags is None else refusal.tags
                cycle.bad.update(dict.fromkeys(blamed, refusal.quality))
                refused.update(place // 2 for place in blamed)
        return sorted(refused)

    async def _read_alone(self, connection: Connection, points: Sequence[Point], position: int, cycle: Cycle) -> None:
        """One tag of a refused request: its neighbours may have been to blame."""
        places = slice(2 * position, 2 * position + 2)
        part = Cycle([None, None])
        await self._read_points(connection, points[places], part)
        cycle.values[places] = part.values
        for place in (0, 1):
            cycle.bad.pop(2 * position + place, None)
            if place in part.bad:
                cycle.bad[2 * position + place] = part.bad[place]

    def _points(self, spec: TagSpec) -> tuple[Point, Point]:
        polled = replace(spec, subscribe=False)
        return self.driver.point(polled, self.plan.connection), raw_point(self.driver, self.plan, spec)

    def _connection(self) -> Connection:
        connection = self.plan.connection
        return self.session.granted(connection) if isinstance(self.session, Negotiated) else connection


def raw_point(driver: PlcDriver, plan: DevicePlan, spec: TagSpec) -> Point:
    """The place of a tag, with what stands there as it is: no scale, no offset, no subscription."""
    bare = replace(spec, scale=Decimal(1), offset=Decimal(0), subscribe=False)
    return driver.point(bare, plan.connection)
