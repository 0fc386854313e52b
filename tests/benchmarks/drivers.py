"""The drivers one by one: requests for 1,000 neighbouring words, and what reading them costs the collector's side."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

from protocols.base import Connection, Cycle, DataType, Negotiated, PlcDriver, PlcSession, Point, Request, TagSpec
from protocols.registry import driver
from tests.benchmarks.devices import DB, OPCUA_FOLDER
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import first_line, running
from tests.benchmarks.tags import TAGS, reading

_CYCLE_S = 0.1  # with 1,000 tags 10,000 values a second
_WARM_UP_CYCLES = 5
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Case:
    """A protocol, where its words are, and what it has to keep to."""

    protocol: str
    address: str
    requests: Target
    cpu_us: Target
    fields: dict[str, object] = field(default_factory=dict)


CASES = (
    Case("modbus_tcp", "HR{word}", Target("=", 8), Target("≤", 3)),
    Case("s7", f"DB{DB}.DBW{{byte}}", Target("≤", 5), Target("≤", 3)),
    Case("xgt", "D{word}", Target("≤", 2), Target("≤", 3), {"family": "xgk"}),
    Case("opcua", f"ns=2;s={OPCUA_FOLDER}.W{{word}}", Target("≤", 2), Target("≤", 30)),
)


@dataclass(frozen=True, slots=True)
class Rounds:
    """How many windows of how many cycles."""

    windows: int
    cycles: int


def measure(rounds: Rounds) -> list[Figure]:
    """Every protocol against its simulator, which is a process of its own."""
    return [figure for case in CASES for figure in _measure(case, rounds)]


def _measure(case: Case, rounds: Rounds) -> list[Figure]:
    with running([sys.executable, "-m", "tests.benchmarks.devices", case.protocol, "1", str(TAGS)]) as process:
        fields = {"host": "127.0.0.1", "port": int(first_line(process)), **case.fields}
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            requests, cpu_us = runner.run(_read(case, fields, rounds))
    return [
        Figure("protocols", f"{case.protocol}: requests a cycle", "", (requests,), case.requests),
        Figure("protocols", f"{case.protocol}: CPU per value", "µs", cpu_us, case.cpu_us),
    ]


async def _read(case: Case, fields: dict[str, object], rounds: Rounds) -> tuple[int, tuple[float, ...]]:
    speaker = driver(case.protocol)
    connection = speaker.connection(fields, _TIMEOUT_S)
    session = await speaker.connect(connection)
    try:
        if isinstance(session, Negotiated):
            connection = session.granted(connection)
        requests = speaker.compile(connection, _points(case, speaker, connection))
        await _cycles(session, requests, _WARM_UP_CYCLES)
        spent = [await _cycles(session, requests, rounds.cycles) for _ in range(rounds.windows)]
    finally:
        await session.close()
    return len(requests), tuple(seconds * 1e6 / (rounds.cycles * TAGS) for seconds in spent)


def _points(case: Case, speaker: PlcDriver, connection: Connection) -> list[Point]:
    addresses = [case.address.format(word=number, byte=2 * number) for number in range(TAGS)]
    tags = [TagSpec(f"w{number}", address, DataType.UINT16) for number, address in enumerate(addresses)]
    return [speaker.point(tag, connection) for tag in tags]


async def _cycles(session: PlcSession, requests: Sequence[Request], cycles: int) -> float:
    """Processor seconds of the reads, without the pauses between."""
    loop = asyncio.get_running_loop()
    due, spent = loop.time(), 0.0
    expected = [reading(number) for number in range(TAGS)]
    for _ in range(cycles):
        cycle = Cycle([None] * TAGS)
        begun = time.process_time()
        for request in requests:
            await session.read(request, cycle)
        spent += time.process_time() - begun
        assert cycle.values == expected, f"wrong values, bad: {list(cycle.bad.items())[:3]}"
        due += _CYCLE_S
        await asyncio.sleep(due - loop.time())
    return spent
