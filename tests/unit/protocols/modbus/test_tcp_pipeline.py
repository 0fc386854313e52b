"""Answers that are cut short, with the next ones right behind them: a request gets its own value, or none."""

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.tcp_pipeline import ModbusTcpPipeline
from tests.doubles.clock import LeapingLoop
from tests.doubles.modbus_device import ModbusDevice

DRIVER = ModbusTcpDriver()
APART = 200
TIMEOUT_S = 3.0


class Withholding(asyncio.Transport):
    """Reckons the answer to each question and keeps it for the test to deliver."""

    def __init__(self, session: ModbusTcpPipeline, device: ModbusDevice) -> None:
        super().__init__()
        self.session, self.device = session, device
        self.answers: list[bytes] = []
        self.aborted = False
        session.connection_made(self)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        questions = bytes(data)
        while questions:
            size = self.device.question_size(questions)
            self.answers.append(self.device.answer(questions[:size]))
            questions = questions[size:]

    def abort(self) -> None:
        self.aborted = True
        self.session.connection_lost(None)

    async def deliver(self, stream: bytes, cuts: Sequence[int] = ()) -> None:
        """Hand over the bytes in pieces; whoever reads has his turn after each."""
        edges = [0, *sorted({cut for cut in cuts if 0 < cut < len(stream)}), len(stream)]
        for start, end in pairwise(edges):
            if self.aborted or start == end:
                return
            self.session.data_received(stream[start:end])
            for _ in range(10):
                await asyncio.sleep(0)


class Poll:
    """A cycle of requests, one for each list of register values, all under way at once and read in turn."""

    def __init__(self, registers: Sequence[Sequence[int]], missing: frozenset[int] = frozenset()) -> None:
        self.device = ModbusDevice()
        self.session = ModbusTcpPipeline("10.0.0.7:502")
        self.wire = Withholding(self.session, self.device)
        self.connection = DRIVER.connection({"host": "10.0.0.7", "max_in_flight": 16, "max_gap": 0}, TIMEOUT_S)
        tags, self.right = [], list[int]()
        for block, values in enumerate(registers):
            for place, value in enumerate(values):
                self.device.words[3][APART * block + place] = value
                tags.append(TagSpec("t", f"HR{APART * block + place}", DataType.UINT16))
                self.right.append(value)
        self.device.missing = {APART * block for block in missing}
        self.requests = DRIVER.compile(self.connection, [DRIVER.point(tag, self.connection) for tag in tags])
        assert len(self.requests) == len(registers)
        self.cycle = Cycle([None] * len(tags))
        self.came: list[SessionError | RequestRefused | None] = []
        self.session.announce(self.connection, self.requests)
        self.reading = asyncio.ensure_future(self._read(self.requests))

    async def asked(self) -> list[bytes]:
        """The answers to all of it, as soon as it was asked."""
        while len(self.wire.answers) < len(self.requests):
            await asyncio.sleep(0)
        return self.wire.answers

    async def over(self) -> None:
        """What has no answer by then gets none."""
        await self.reading
        await self.session.close()

    async def _read(self, requests: Sequence[ModbusRequest]) -> None:
        for request in requests:
            try:
                await self.session.read(request, self.cycle)
            except (SessionError, RequestRefused) as error:
                self.came.append(error)
                if isinstance(error, SessionError):
                    return
            else:
                self.came.append(None)


@pytest.fixture
def runner() -> asyncio.Runner:
    return asyncio.Runner(loop_factory=LeapingLoop)


small = st.integers(0, 8) | st.integers(0, 0xFFFF)
polls = st.lists(st.lists(small, min_size=1, max_size=3), min_size=2, max_size=5)


@given(data=st.data(), registers=polls)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_p4_a_cut_answer_with_others_behind_it_never_gives_a_wrong_value(
    data: st.DataObject, registers: list[list[int]]
) -> None:
    async def scenario() -> None:
        refused = data.draw(st.frozensets(st.sampled_from(range(len(registers))), max_size=1))
        poll = Poll(registers, refused)
        answers = data.draw(st.permutations(await poll.asked()))
        kept = [data.draw(st.just(len(answer)) | st.integers(0, len(answer))) for answer in answers]
        stream = b"".join(answer[:size] for answer, size in zip(answers, kept, strict=True))
        seemingly_whole = [sum(kept[:place]) + len(answer) for place, answer in enumerate(answers)]
        pieces = data.draw(st.lists(st.sampled_from(seemingly_whole) | st.integers(1, max(len(stream), 1)), max_size=8))
        await poll.wire.deliver(stream, pieces)
        await poll.over()
        got = zip(poll.cycle.values, poll.right, strict=True)
        assert all(value in (None, right) for value, right in got)
        if kept == [len(answer) for answer in answers]:
            expected = [RequestRefused if block in refused else type(None) for block in range(len(registers))]
            assert [type(outcome) for outcome in poll.came] == expected
        else:
            assert isinstance(poll.came[-1], SessionError)

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize("missing", range(1, 11))
def test_p4_nothing_is_believed_where_a_piece_ends_just_as_the_cut_answer_seems_whole(
    runner: asyncio.Runner, missing: int
) -> None:
    """The bytes lacking are those of the next answer, and the rest of that one comes a moment after."""

    async def scenario() -> None:
        poll = Poll([[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11]])
        cut, *others = await poll.asked()
        stream = cut[:-missing] + b"".join(others)
        await poll.wire.deliver(stream, [len(cut)])
        await poll.over()
        assert poll.cycle.values == [None] * 11
        assert poll.wire.aborted
        (error,) = poll.came
        assert isinstance(error, BadAnswer)
        assert "10.0.0.7:502 unit 1" in str(error)

    with runner:
        runner.run(scenario())


def test_p4_the_rest_of_a_poll_fails_with_the_reason_that_ended_the_connection(runner: asyncio.Runner) -> None:
    async def scenario() -> None:
        poll = Poll([[1], [2], [3]])
        first, second, third = await poll.asked()
        await poll.wire.deliver(first + second[:-1] + third)
        await poll.over()
        for request in poll.requests:
            with pytest.raises(BadAnswer, match="frame with length"):
                await poll.session.read(request, poll.cycle)
        assert poll.cycle.values == [None, None, None]

    with runner:
        runner.run(scenario())


@pytest.mark.parametrize("begun", ["0009", "00020001", "000200000001", "0002000000ff"])
def test_p4_the_beginning_of_a_header_that_fits_no_question_ends_the_connection_at_once(
    runner: asyncio.Runner, begun: str
) -> None:
    async def scenario() -> None:
        poll = Poll([[1], [2]])
        first, _ = await poll.asked()
        await poll.wire.deliver(first + bytes.fromhex(begun))
        assert poll.wire.aborted
        await poll.over()
        assert isinstance(poll.came[0], BadAnswer)

    with runner:
        runner.run(scenario())


def test_every_answer_gives_the_ones_after_it_their_whole_time(runner: asyncio.Runner) -> None:
    async def scenario() -> None:
        poll = Poll([[1], [2], [3]])
        for answer in await poll.asked():
            await asyncio.sleep(TIMEOUT_S * 0.9)
            await poll.wire.deliver(answer)
        await poll.over()
        assert poll.cycle.values == [1, 2, 3]

    with runner:
        runner.run(scenario())


def test_silence_names_the_first_question_that_has_no_answer_and_costs_those_under_way_with_it(
    runner: asyncio.Runner,
) -> None:
    async def scenario() -> None:
        poll = Poll([[1], [2], [3]])
        first, _, third = await poll.asked()
        await poll.wire.deliver(first + third)
        await poll.over()
        assert poll.cycle.values == [None, None, None]
        (error,) = poll.came
        assert isinstance(error, NoAnswer)
        assert f"{APART + 40001}" in str(error)

    with runner:
        runner.run(scenario())
