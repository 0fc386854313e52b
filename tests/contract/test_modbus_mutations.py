"""Answers with something wrong with them, from a fixed seed: MUTATED_FRAMES of them, 20,000 where it is not set."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import NoAnswer, RequestRefused, SessionError
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.session import ModbusSession
from protocols.modbus.tcp_session import ModbusTcpSession
from tests.doubles.clock import LeapingLoop
from tests.doubles.modbus_device import ModbusDevice

MUTATED_FRAMES = int(os.environ.get("MUTATED_FRAMES", "20000"))
HEADER = 9  # of an answer: MBAP, function, byte count; what follows is data, which Modbus TCP does not protect
TIMEOUT_S = 3.0
DRIVER = ModbusTcpDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7"}, TIMEOUT_S)

Mutation = Callable[[random.Random, bytes, bytes], bytes]


class Wire(asyncio.Transport):
    """Keeps what is written; aborting tells the protocol at once."""

    def __init__(self, session: ModbusSession) -> None:
        super().__init__()
        self.session = session
        self.written = b""
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written = bytes(data)

    def abort(self) -> None:
        if not self.aborted:
            self.aborted = True
            self.session.connection_lost(None)


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
    right = answer[8] // 2
    data = rng.randbytes(2 * rng.choice([size for size in range(126) if size != right]))
    return answer[:4] + (len(data) + 3).to_bytes(2, "big") + answer[6:8] + bytes([len(data)]) + data


def exception(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer[:4] + b"\0\3" + answer[6:7] + bytes([answer[7] | 0x80, rng.randrange(256)])


def noise(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return rng.randbytes(rng.randrange(1, 2 * len(answer)))


MUTATIONS: Sequence[Mutation] = (
    flip, overwrite, truncate, lose_a_byte, gain_a_byte, repeat, begin_inside, another_request,
    another_request_before, data_of_another_size, exception, noise,
)  # fmt: skip


def question(device: ModbusDevice, start: int, count: int, value: int) -> tuple[ModbusRequest, list[Value | None]]:
    """A request for registers that hold values which no other registers hold in this round."""
    values = [(value + i) % 65536 for i in range(count)]
    device.words[3].update(enumerate(values, start))
    tags = [TagSpec("t", f"HR{start + i}", DataType.UINT16) for i in range(count)]
    (request,) = DRIVER.compile(CONNECTION, [DRIVER.point(tag, CONNECTION) for tag in tags])
    return request, list(values)


async def one_round(rng: random.Random, device: ModbusDevice) -> str:
    session = ModbusTcpSession("10.0.0.7:502")
    wire = Wire(session)
    session.connection_made(wire)
    loop = asyncio.get_running_loop()
    count = rng.randint(1, 8)
    request, right = question(device, rng.randrange(1000), count, rng.randrange(30_000))
    other, _ = question(device, 2000 + rng.randrange(1000), count, 40_000 + rng.randrange(20_000))

    cycle = Cycle([None] * count)
    began = loop.time()
    reading = asyncio.create_task(session.read(request, cycle))
    await asyncio.sleep(0)
    answer = device.answer(wire.written)
    foreign = device.answer(wire.written[:1] + b"\x07" + wire.written[2:7] + other.question.pdu)
    session.data_received(rng.choice(MUTATIONS)(rng, answer, foreign))
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
    assert wire.aborted
    return outcome


@pytest.mark.timeout(600)
def test_P4_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    async def all_rounds() -> Counter[str]:
        rng, device = random.Random(20260417), ModbusDevice()
        return Counter([await one_round(rng, device) for _ in range(MUTATED_FRAMES)])

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    assert outcomes.total() == MUTATED_FRAMES
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > MUTATED_FRAMES / 50


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
async def test_the_same_on_a_real_socket(mutation: Mutation) -> None:
    rng, device = random.Random(7), ModbusDevice()
    await device.start()
    connection = DRIVER.connection({"host": "127.0.0.1", "port": device.port}, 0.15)
    device.words[3].update({0: 1111, 1: 2222})
    foreign = b"\x7f\x07" + bytes.fromhex("0000000701030430394444")
    device.script = lambda _question, answer: [mutation(rng, answer, foreign)]
    tags = [TagSpec("t", "HR0", DataType.UINT16), TagSpec("t", "HR1", DataType.UINT16)]
    (request,) = DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in tags])
    for _ in range(3):
        session = await DRIVER.connect(connection)
        cycle = Cycle([None, None])
        try:
            await session.read(request, cycle)
        except (SessionError, RequestRefused):
            assert cycle.values == [None, None]
        else:
            assert cycle.values == [1111, 2222]
        await session.close()
    await device.stop()
