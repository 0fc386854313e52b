"""Answers and questions with something wrong with them, from a fixed seed: the client's side and the simulator's.

``MUTATED_FRAMES=100000`` in the environment makes it the long run.
"""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import NoAnswer, RequestRefused, SessionError
from protocols.xgt.driver import XgtDriver
from protocols.xgt.requests import XgtRequest
from protocols.xgt.session import XgtSession
from simulators.xgt import Memory, XgtPlc
from tests.doubles.clock import LeapingLoop
from tests.doubles.xgt_device import HEADER, XgtDevice, framed

ROUNDS = int(os.environ.get("MUTATED_FRAMES", "5000"))
HEAD = HEADER + 12  # of an answer with a block; what follows is data, which XGT does not protect
TIMEOUT_S = 3.0
DRIVER = XgtDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7", "family": "xgk"}, TIMEOUT_S)

Mutation = Callable[[random.Random, bytes, bytes], bytes]


class Wire(asyncio.Transport):
    """Keeps what is written; aborting tells the protocol at once."""

    def __init__(self, session: XgtSession) -> None:
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
    changed[rng.randrange(HEAD)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def overwrite(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(HEAD)] = rng.randrange(256)
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
    right = len(answer) - HEAD
    data = rng.randbytes(rng.choice([size for size in range(200) if size != right]))
    size = len(data).to_bytes(2, "little")
    return framed(answer[14:16], answer[HEADER : HEADER + 10] + size + data)


def words_one_by_one(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    data = b"\2\0" + rng.randbytes(2)
    return framed(answer[14:16], answer[HEADER : HEADER + 2] + b"\2\0\0\0\0\0" + b"\1\0" + data)


def refusal(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    code = bytes([rng.randrange(256), 0])[: rng.choice([1, 2])]
    return framed(answer[14:16], answer[HEADER : HEADER + 6] + rng.choice([b"\xff\xff", b"\xff\0"]) + code)


def noise(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return rng.randbytes(rng.randrange(1, 2 * len(answer)))


MUTATIONS: Sequence[Mutation] = (
    flip, overwrite, truncate, lose_a_byte, gain_a_byte, repeat, begin_inside, another_request,
    another_request_before, data_of_another_size, words_one_by_one, refusal, noise,
)  # fmt: skip


def question(device: XgtDevice, start: int, count: int, value: int) -> tuple[XgtRequest, list[Value | None]]:
    """A request for words that hold values which no other words hold in this round."""
    values = [(value + i) % 65536 for i in range(count)]
    device.put("D", start, values)
    tags = [TagSpec("t", f"D{start + i}", DataType.UINT16) for i in range(count)]
    (request,) = DRIVER.compile(CONNECTION, [DRIVER.point(tag, CONNECTION) for tag in tags])
    return request, list(values)


async def one_round(rng: random.Random, device: XgtDevice) -> str:
    session = XgtSession("10.0.0.7:2004", rng.randrange(1, 65536))
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
    foreign_id = ((int.from_bytes(wire.written[14:16], "little") + 7) % 65536).to_bytes(2, "little")
    foreign = device.answer(wire.written[:14] + foreign_id + wire.written[16:HEADER] + other.question.body)
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
def test_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    async def all_rounds() -> Counter[str]:
        rng, device = random.Random(20260417), XgtDevice()
        return Counter([await one_round(rng, device) for _ in range(ROUNDS)])

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    print(f"{ROUNDS} mutated answers: {dict(outcomes)}")
    assert outcomes.total() == ROUNDS
    assert outcomes["BadAnswer"] > ROUNDS / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"], outcomes["value"]) > ROUNDS / 50


QUESTIONS = [
    bytes.fromhex("54001400000001000600254442323030 0600"),
    bytes.fromhex("54000200000002000600254D57313030 0600254457323030"),
    bytes.fromhex("54000000000001000700254D5832373634"),
    bytes.fromhex("58000200000001000600254D57313030 0200 3412"),
    bytes.fromhex("58001400000001000600254D42313030 0200 3412"),
]


def asked(invoke: int, instruction: bytes) -> bytes:
    head = b"LSIS-XGT\0\0\0\0\xa0\x33" + invoke.to_bytes(2, "little") + len(instruction).to_bytes(2, "little") + b"\0"
    return head + bytes([sum(head) % 256]) + instruction


def spoiled(rng: random.Random, frame: bytes) -> bytes:
    changed = bytearray(frame)
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        where = rng.randrange(len(changed))
        change = rng.randrange(3)
        if change == 0:
            changed[where] = rng.randrange(256)
        elif change == 1:
            changed.insert(where, rng.randrange(256))
        elif len(changed) > 1:
            del changed[where]
    return bytes(changed)


async def answer_of(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Invoke id and instruction of the next answer, which must be a frame."""
    async with asyncio.timeout(5):
        head = await reader.readexactly(HEADER)
        body = await reader.readexactly(int.from_bytes(head[16:18], "little"))
    assert (head[:8], head[13], head[19]) == (b"LSIS-XGT", 0x11, sum(head[:19]) % 256)
    return head[14:16], body


async def is_well(plc: XgtPlc) -> None:
    """A new client is answered at once and rightly."""
    reader, writer = await asyncio.open_connection(plc.host, plc.port)
    writer.write(asked(7, bytes.fromhex("5400020000000100 0700 254B5738303030")))
    _, body = await answer_of(reader)
    assert body[6:] == b"\0\0\1\0\2\0\x39\x30"
    writer.close()


@pytest.mark.timeout(600)
async def test_no_mutated_instruction_goes_unanswered() -> None:
    rng, told = random.Random(20260418), Counter[bool]()
    async with XgtPlc(Memory()) as plc:
        plc.memory.poke("K", 16000, b"\x39\x30")
        reader, writer = await asyncio.open_connection(plc.host, plc.port)
        for round_ in range(ROUNDS):
            instruction = spoiled(rng, rng.choice(QUESTIONS))
            writer.write(asked(round_ % 65536, instruction))
            invoke, body = await answer_of(reader)
            assert int.from_bytes(invoke, "little") == round_ % 65536
            assert body[0] == (instruction[0] + 1) % 256
            told[body[6:8] == b"\0\0"] += 1
        writer.close()
        await is_well(plc)
        print(f"{ROUNDS} mutated instructions: {told[True]} carried out, refused {dict(plc.record.naks)}")
    assert min(told.values()) > ROUNDS / 50


@pytest.mark.timeout(600)
async def test_no_mutated_stream_harms_the_simulator() -> None:
    rng = random.Random(20260419)
    async with XgtPlc(Memory()) as plc:
        plc.memory.poke("K", 16000, b"\x39\x30")
        for _ in range(ROUNDS // 50):
            reader, writer = await asyncio.open_connection(plc.host, plc.port)
            frames = [spoiled(rng, asked(rng.randrange(65536), rng.choice(QUESTIONS))) for _ in range(10)]
            writer.write(b"".join(frames) + bytes(3000))  # which end whatever frame was begun, and begin none
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                async with asyncio.timeout(5):
                    await reader.readexactly(1 << 20)
            writer.close()
        async with asyncio.timeout(5):
            while plc.open_connections:
                await asyncio.sleep(0.01)
        await is_well(plc)
        assert plc.record.malformed > 0
        assert plc.record.requests > ROUNDS / 500
