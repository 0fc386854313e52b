"""Answers to the driver and questions to the simulator with something wrong with them, from a fixed seed.

``S7_MUTATIONS`` sets how many of each; the full run has 100,000.
"""

import asyncio
import contextlib
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import cast

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import NoAnswer, RequestRefused, SessionError
from protocols.s7.driver import S7Driver
from protocols.s7.requests import S7Request
from protocols.s7.session import S7Session
from protocols.s7.wire import S7Wire
from simulators.modbus.signals import Setpoint
from simulators.s7 import Area, Block, Cell, S7Plc
from tests.doubles.clock import LeapingLoop
from tests.doubles.s7_device import S7Device, frame

ROUNDS = int(os.environ.get("S7_MUTATIONS", "5000"))
HEADER = 25  # of an answer: TPKT, COTP, S7, function, item; what follows is data, which S7 does not protect
TIMEOUT_S = 3.0
DRIVER = S7Driver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7"}, TIMEOUT_S)

Mutation = Callable[[random.Random, bytes, bytes], bytes]


class Wire(asyncio.Transport):
    """Keeps what is written; aborting tells the protocol at once."""

    def __init__(self, wire: S7Wire) -> None:
        super().__init__()
        self.wire = wire
        self.written = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.wire.connection_lost(None)


def flip(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    changed[rng.randrange(HEADER)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(HEADER)] = rng.randrange(256)
    return bytes(changed)


def truncate(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer[: rng.randrange(len(answer))]


def lose_a_byte(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(answer))
    return answer[:at] + answer[at + 1 :]


def gain_a_byte(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(answer) + 1)
    return answer[:at] + rng.randbytes(1) + answer[at:]


def repeat(_rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer + answer


def begin_inside(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer[rng.randrange(1, len(answer)) :] + answer


def another_request(_rng: random.Random, _answer: bytes, other: bytes) -> bytes:
    return other


def another_request_before(_rng: random.Random, answer: bytes, other: bytes) -> bytes:
    return other + answer


def data_of_another_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    right = len(answer) - HEADER
    data = rng.randbytes(rng.choice([size for size in range(460) if size // 2 != right // 2]))
    return frame(answer[11:13], b"\4\1", b"\xff\4" + (8 * len(data)).to_bytes(2, "big") + data)


def refusal(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    if rng.random() < 0.5:
        return frame(answer[11:13], b"", b"", rng.randrange(1, 65536))
    return frame(answer[11:13], b"\4\1", bytes([rng.randrange(255), 0, 0, rng.choice((0, 4))]))


def noise(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return rng.randbytes(rng.randrange(1, 2 * len(answer)))


MUTATIONS: Sequence[Mutation] = (
    flip, overwrite, truncate, lose_a_byte, gain_a_byte, repeat, begin_inside, another_request,
    another_request_before, data_of_another_size, refusal, noise,
)  # fmt: skip


def question(device: S7Device, start: int, count: int, value: int) -> tuple[S7Request, list[Value | None]]:
    """A request for words that hold values which no other words hold in this round."""
    values = [(value + i) % 65536 for i in range(count)]
    device.put(start, b"".join(each.to_bytes(2, "big") for each in values))
    tags = [TagSpec("t", f"DB1.DBW{start + 2 * i}", DataType.UINT16) for i in range(count)]
    (request,) = DRIVER.compile(CONNECTION, [DRIVER.point(tag, CONNECTION) for tag in tags])
    return request, list(values)


async def one_round(rng: random.Random, device: S7Device) -> str:
    wire = S7Wire(CONNECTION)
    transport = Wire(wire)
    wire.connection_made(transport)
    session = S7Session(CONNECTION, wire)
    loop = asyncio.get_running_loop()
    count = rng.randint(1, 8)
    request, right = question(device, rng.randrange(1000), count, rng.randrange(30_000))
    other, _ = question(device, 2000 + rng.randrange(1000), count, 40_000 + rng.randrange(20_000))

    cycle = Cycle([None] * count)
    began = loop.time()
    reading = asyncio.create_task(session.read(request, cycle))
    await asyncio.sleep(0)
    answer = device.answer(transport.written)
    head = transport.written[:11] + b"\x70\x07" + transport.written[13:17]
    foreign = device.answer(head + other.messages[0].parameters)
    wire.data_received(rng.choice(MUTATIONS)(rng, answer, foreign))
    try:
        await reading
    except (SessionError, RequestRefused) as error:
        assert cycle.values == [None] * count
        outcome = type(error).__name__
    else:
        assert cycle.values == right
        outcome = "value"
    assert loop.time() - began <= TIMEOUT_S + 0.1
    if outcome == NoAnswer.__name__:
        assert loop.time() - began >= TIMEOUT_S
    await session.close()
    assert transport.aborted
    return outcome


def test_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    async def all_rounds() -> Counter[str]:
        rng, device = random.Random(20260417), S7Device()
        return Counter([await one_round(rng, device) for _ in range(ROUNDS)])

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    assert outcomes.total() == ROUNDS
    assert outcomes["BadAnswer"] > ROUNDS / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > ROUNDS / 50


READ_QUESTION = bytes.fromhex("0300001f02f080320100000007000e00000401120a10020004000184000000")
CONNECT = bytes.fromhex("0300001611e00000000100c0010ac1020100c2020101")
SETUP = bytes.fromhex("0300001902f08032010000000100080000f0000001000101e0")


class _Visitor:
    """Takes what the simulator sends to a client that is not there."""

    def __init__(self) -> None:
        self.sent = bytearray()

    def write(self, data: bytes) -> None:
        self.sent += data

    async def drain(self) -> None:
        pass


@pytest.mark.parametrize("greeted", [True, False])
async def test_no_mutated_question_hangs_crashes_or_moves_the_simulator(greeted: bool) -> None:
    rng = random.Random(20260418)
    plc = S7Plc({(Area.DB, 1): Block(64, (Cell(0, Setpoint(0x1234)),))})
    for _ in range(ROUNDS // 2):
        reader, visitor = asyncio.StreamReader(), _Visitor()
        mutated = rng.choice(MUTATIONS)(rng, READ_QUESTION, SETUP)
        reader.feed_data((CONNECT + SETUP if greeted else b"") + mutated + READ_QUESTION)
        reader.feed_eof()
        with contextlib.suppress(asyncio.IncompleteReadError):
            async with asyncio.timeout(2):
                await plc._serve(reader, cast("asyncio.StreamWriter", visitor))
        assert plc.open_connections == 0
    assert plc.peek(Area.DB, 1, 0, 2) == b"\x12\x34"
