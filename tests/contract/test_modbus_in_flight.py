"""Several questions under way on one Modbus TCP connection: each answer finds its own, and none is left for later."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Iterable

import pytest

from protocols.base import Cycle, DataType, Request
from protocols.errors import NoAnswer, RequestRefused, SessionLost
from protocols.pipelining import Pipelining
from tests.contract.bench import ModbusAheadBench, Reader, spec
from tests.doubles.scripted_device import Step, silent

BLOCKS, APART, MOST = 10, 200, 4
TIMEOUT_S = 5.0


class Out:
    """Answers so many questions together, in an order of its own; what is left over when `last` was asked, too."""

    def __init__(self, together: int, last: int, order: random.Random) -> None:
        self._together, self._last, self._order = together, last, order
        self._held: list[bytes] = []
        self._asked = itertools.count(1)

    def __call__(self, _question: bytes, answer: bytes) -> Iterable[Step]:
        self._held.append(answer)
        if len(self._held) < self._together and next(self._asked) < self._last:
            return []
        answers, self._held = self._held, []
        self._order.shuffle(answers)
        return [b"".join(answers)]


@pytest.fixture
async def bench() -> AsyncIterator[ModbusAheadBench]:
    bench = ModbusAheadBench()
    await bench.device.start()
    yield bench
    await bench.device.stop()


@pytest.fixture
async def reader(bench: ModbusAheadBench) -> AsyncIterator[Reader]:
    reader = Reader(bench, bench.driver.connection(bench.fields(), TIMEOUT_S))
    await reader.open()
    yield reader
    await reader.session.close()


def announced(reader: Reader) -> tuple[Request, ...]:
    """Ten requests of one register each, announced."""
    requests = reader.requests(*(spec(f"HR{APART * block}", DataType.UINT16) for block in range(BLOCKS)))
    assert len(requests) == BLOCKS
    assert isinstance(reader.session, Pipelining)
    reader.session.announce(reader.connection, requests)
    return requests


def fill(bench: ModbusAheadBench, base: int) -> list[int]:
    for block in range(BLOCKS):
        bench.put(APART * block, [base + block])
    return [base + block for block in range(BLOCKS)]


async def test_no_more_are_under_way_than_the_device_takes(bench: ModbusAheadBench, reader: Reader) -> None:
    bench.device.script = silent
    requests = announced(reader)
    reading = asyncio.ensure_future(reader.session.read(requests[0], Cycle([None] * BLOCKS)))
    async with asyncio.timeout(TIMEOUT_S):
        while len(bench.device.questions) < MOST:
            await asyncio.sleep(0.005)
    await reader.session.close()
    with pytest.raises(SessionLost):
        await reading
    assert len(bench.device.questions) == MOST


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("together", [1, 2])
async def test_answers_find_their_questions_in_whatever_order_they_come(
    bench: ModbusAheadBench, reader: Reader, together: int, seed: int
) -> None:
    expected = fill(bench, 1_000)
    bench.device.script = Out(together, BLOCKS, random.Random(seed))
    cycle = Cycle([None] * BLOCKS)
    for request in announced(reader):
        await reader.session.read(request, cycle)
    assert cycle.values == expected
    assert len(bench.device.questions) == BLOCKS


async def test_a_refused_block_costs_itself_and_may_be_searched_while_others_are_under_way(
    bench: ModbusAheadBench, reader: Reader
) -> None:
    expected = fill(bench, 2_000)
    bench.remove(APART * 1)
    bench.put(7, [77])
    cycle, refused = Cycle([None] * BLOCKS), []
    for place, request in enumerate(announced(reader)):
        try:
            await reader.session.read(request, cycle)
        except RequestRefused:
            refused.append(place)
            (search,) = reader.requests(spec("HR7", DataType.UINT16))
            found = Cycle([None])
            await reader.session.read(search, found)
            assert found.values == [77]
    assert refused == [1]
    assert cycle.values == [None if place == 1 else value for place, value in enumerate(expected)]
    assert len(bench.device.questions) == BLOCKS + 1


async def test_what_was_asked_ahead_and_not_read_is_never_an_answer_to_a_later_poll(
    bench: ModbusAheadBench, reader: Reader
) -> None:
    fill(bench, 3_000)
    requests = announced(reader)
    await reader.session.read(requests[0], Cycle([None] * BLOCKS))
    assert isinstance(reader.session, Pipelining)
    reader.session.announce(reader.connection, ())
    expected = fill(bench, 4_000)
    await reader.write(spec("HR1", DataType.UINT16), 5)
    assert bench.device.words[3][1] == 5
    cycle = Cycle([None] * BLOCKS)
    for request in announced(reader):
        await reader.session.read(request, cycle)
    assert cycle.values == expected


async def test_late_answers_to_a_cycle_that_was_given_up_are_thrown_away(
    bench: ModbusAheadBench, reader: Reader
) -> None:
    fill(bench, 5_000)
    held: list[bytes] = []

    def withheld(_question: bytes, answer: bytes) -> list[Step]:
        held.append(answer)
        return []

    def released(_question: bytes, answer: bytes) -> list[Step]:
        late = b"".join(held)
        held.clear()
        return [late + answer]

    bench.device.script = withheld
    patient, reader.connection = reader.connection, bench.driver.connection(bench.fields(), 0.05)
    with pytest.raises(NoAnswer):
        await reader.session.read(announced(reader)[0], Cycle([None] * BLOCKS))
    async with asyncio.timeout(TIMEOUT_S):
        while len(held) < MOST:
            await asyncio.sleep(0.005)
    expected = fill(bench, 6_000)
    bench.device.script = released
    reader.connection = patient
    cycle = Cycle([None] * BLOCKS)
    for request in announced(reader):
        await reader.session.read(request, cycle)
    assert cycle.values == expected
    assert held == []
