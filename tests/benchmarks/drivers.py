"""The drivers one by one: requests for neighbouring words, and what reading them costs the side that reads.

That side is this very process, with the drivers and the event loop that the collector has and nothing else of it.
"""

import asyncio
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import uvloop

from protocols.base import Connection, Cycle, DataType, Negotiated, PlcDriver, PlcSession, Point, Request, TagSpec
from protocols.registry import driver
from tests.benchmarks.devices import DB, opcua_path, renewed_every_s
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import first_line, running
from tests.benchmarks.tags import reading

SIZES = (1_000, 10_000)
_VALUES_A_SECOND = 10_000
_WARM_UP_CYCLES = 3
_TOLD_WITHIN_S = 30.0
_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Case:
    """A way to read, the device for it, where its words are, and what it has to keep to: requests for 1,000 words."""

    name: str
    protocol: str
    device: str
    address: str
    requests: Target
    cpu_us: Target
    fields: dict[str, object] = field(default_factory=dict)
    subscribe: bool = False

    def requests_for(self, tags: int) -> Target:
        """In proportion."""
        return Target(self.requests.sign, math.ceil(self.requests.limit * tags / 1_000))

    def addresses(self, tags: int) -> list[str]:
        """Of neighbouring words from 0 on."""
        return [self.address.format(word=n, byte=2 * n, path=opcua_path(n)) for n in range(tags)]

    def entry(self, tags: int, port: int) -> dict[str, object]:
        """The document's device for it, on this machine, read every second."""
        mode = "subscribe" if self.subscribe else "poll"
        return {
            "id": "1",
            "name": f"프레스_{self.protocol}",
            "protocol": self.protocol,
            "connection": {"host": "127.0.0.1", "port": port, **self.fields},
            "interval_ms": 1000,
            "tags": [
                {"name": f"w{number}", "address": address, "data_type": "UINT16", "mode": mode}
                for number, address in enumerate(self.addresses(tags))
            ],
        }


_SLOW: dict[str, object] = {"publishing_interval_ms": 2_000}  # a server that renews 10,000 nodes is silent for a while
_NODE = "ns=2;s={path}"
CASES = (
    Case("modbus_tcp", "modbus_tcp", "modbus_tcp", "HR{word}", Target("=", 8), Target("≤", 3)),
    Case("s7", "s7", "s7", f"DB{DB}.DBW{{byte}}", Target("≤", 5), Target("≤", 3)),
    Case("xgt", "xgt", "xgt", "D{word}", Target("≤", 2), Target("≤", 3), {"family": "xgk"}),
    Case("opcua read", "opcua", "opcua", _NODE, Target("≤", 2), Target("≤", 30)),
    Case("opcua subscribe", "opcua", "opcua_changing", _NODE, Target("≤", 2), Target("≤", 30), _SLOW, subscribe=True),
)


@dataclass(frozen=True, slots=True)
class Rounds:
    """How many windows, and how many seconds each."""

    windows: int
    seconds: float


def measure(rounds: Rounds, sizes: Sequence[int] = SIZES) -> Iterator[Figure]:
    """Every case against its simulator, which is a process of its own."""
    for case in CASES:
        for tags in sizes:
            yield from _measure(case, tags, rounds)


def _measure(case: Case, tags: int, rounds: Rounds) -> Iterator[Figure]:
    with running([sys.executable, "-m", "tests.benchmarks.devices", case.device, "1", str(tags)]) as process:
        fields = {"host": "127.0.0.1", "port": int(first_line(process)), **case.fields}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            seconds = max(rounds.seconds, renewed_every_s(tags)) if case.subscribe else rounds.seconds
            requests, cpu_us = runner.run(_read(case, tags, fields, Rounds(rounds.windows, seconds)))
    name = f"{case.name}, {tags:,} tags"
    yield Figure("protocols", f"{name}: requests a cycle", "", (requests,), case.requests_for(tags))
    yield Figure("protocols", f"{name}: CPU per value", "µs", cpu_us, case.cpu_us)


async def _read(case: Case, tags: int, fields: dict[str, object], rounds: Rounds) -> tuple[int, tuple[float, ...]]:
    speaker = driver(case.protocol)
    connection = speaker.connection(fields, _TIMEOUT_S)
    session = await speaker.connect(connection)
    try:
        if isinstance(session, Negotiated):
            connection = session.granted(connection)
        requests = speaker.compile(connection, _points(case, tags, speaker, connection))
        reading_side = _Reader(case, tags, session, requests)
        await reading_side.warm_up()
        spent = [await reading_side.spend(rounds.seconds) for _ in range(rounds.windows)]
    finally:
        await session.close()
    return len(requests), tuple(spent)


def _points(case: Case, tags: int, speaker: PlcDriver, connection: Connection) -> list[Point]:
    specs = [
        TagSpec(f"w{number}", address, DataType.UINT16, subscribe=case.subscribe)
        for number, address in enumerate(case.addresses(tags))
    ]
    return [speaker.point(spec, connection) for spec in specs]


class _Reader:
    """Reads cycle after cycle, or hands out what was told of, and keeps account of the processor time."""

    def __init__(self, case: Case, tags: int, session: PlcSession, requests: Sequence[Request]) -> None:
        self._case, self._session, self._requests = case, session, requests
        self._expected = [reading(number) for number in range(tags)]
        self._every_s = 1.0 if case.subscribe else tags / _VALUES_A_SECOND

    async def warm_up(self) -> None:
        """A few cycles; of a subscription until each tag was told of. Raises `TimeoutError`."""
        for _ in range(_WARM_UP_CYCLES):
            cycle = await self._cycle()
        async with asyncio.timeout(_TOLD_WITHIN_S):
            while cycle.bad:
                await asyncio.sleep(0.1)
                cycle = await self._cycle()

    async def spend(self, seconds: float) -> float:
        """Microseconds of processor time for each value: around the reads; of a subscription all that is spent for
        each value that changed, for most of it is spent between the cycles."""
        loop = asyncio.get_running_loop()
        before = await self._cycle()
        due, reads_s, values, begun = loop.time(), 0.0, 0, time.process_time()
        ends_at = due + seconds - self._every_s / 2
        while loop.time() < ends_at or (values == 0 and loop.time() < ends_at + _TOLD_WITHIN_S):
            due += self._every_s
            await asyncio.sleep(due - loop.time())
            asked = time.process_time()
            cycle = await self._cycle()
            reads_s += time.process_time() - asked
            values += self._new(cycle, before)
            before = cycle
        spent_s = time.process_time() - begun if self._case.subscribe else reads_s
        return spent_s * 1e6 / max(values, 1)

    async def _cycle(self) -> Cycle:
        cycle = Cycle([None] * len(self._expected))
        for request in self._requests:
            await self._session.read(request, cycle)
        return cycle

    def _new(self, cycle: Cycle, before: Cycle) -> int:
        """How many values the cycle brought; they are checked as well."""
        assert not cycle.bad, f"bad: {list(cycle.bad.items())[:3]}"
        if self._case.subscribe:
            return sum(value != old for value, old in zip(cycle.values, before.values, strict=True))
        assert cycle.values == self._expected, f"wrong values, such as {cycle.values[:3]}"
        return len(cycle.values)
