"""The simulated PLC under damaged questions, in both frames: it never breaks, never hangs and never answers wrongly."""

import asyncio
import random
import struct
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest

from simulators.modbus import Layout, ModbusPlc, RtuFraming, Table, TcpFraming, Unit, row_of
from simulators.modbus.frames import Framing
from simulators.modbus.signals import Constant
from tests.contract.test_modbus_mutations import MUTATED_FRAMES
from tests.doubles.clock import LeapingLoop
from tests.doubles.modbus_device import checked

LAYOUT: Layout = {1: Unit(row_of(Table.HOLDING, 0, [Constant(40_000 + n) for n in range(200)]))}
PLENTY_S = 5.0

Wrap = Callable[[bytes], bytes]
WRAPS: dict[str, tuple[Framing, Wrap]] = {
    "tcp": (TcpFraming(), lambda pdu: b"\x12\x34\0\0" + (len(pdu) + 1).to_bytes(2, "big") + b"\1" + pdu),
    "rtu": (RtuFraming(), lambda pdu: checked(b"\1" + pdu)),
}


class Sink(asyncio.Transport):
    """Keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


class Visit:
    """One conversation with the PLC, in memory."""

    def __init__(self, plc: ModbusPlc) -> None:
        self.reader, self.sink = asyncio.StreamReader(), Sink()
        protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
        self.writer = asyncio.StreamWriter(self.sink, protocol, None, asyncio.get_running_loop())
        self.serving = asyncio.create_task(plc.serve(self.reader, self.writer))

    async def say(self, data: bytes) -> bytes:
        """What comes back until nothing more comes."""
        self.sink.written.clear()
        if not self.serving.done():
            self.reader.feed_data(data)
            await asyncio.sleep(PLENTY_S)
        return bytes(self.sink.written)

    async def end(self) -> None:
        """Hang up; whatever broke inside is raised here."""
        if not self.serving.done():
            self.reader.feed_eof()
        with suppress(asyncio.IncompleteReadError):
            await asyncio.wait_for(self.serving, PLENTY_S)
        self.writer.close()


def read_question(rng: random.Random) -> tuple[bytes, bytes]:
    """A read of registers that are there, and the PDU that answers it."""
    start, count = rng.randrange(100), rng.randint(1, 100)
    values = [40_000 + n for n in range(start, start + count)]
    return struct.pack(">BHH", 3, start, count), bytes([3, 2 * count]) + struct.pack(f">{count}H", *values)


def damaged(rng: random.Random, question: bytes) -> bytes:
    kind = rng.randrange(6)
    at = rng.randrange(len(question))
    if kind == 0:
        return question[:at] + bytes([question[at] ^ 1 << rng.randrange(8)]) + question[at + 1 :]
    if kind == 1:
        return question[:at] + rng.randbytes(rng.randint(1, 4)) + question[at + 4 :]
    if kind == 2:
        return question[:at]
    if kind == 3:
        return question[:at] + rng.randbytes(rng.randint(1, 300)) + question[at:]
    if kind == 4:
        return question[at:] + question
    return rng.randbytes(rng.randrange(1, 300))


def wrong_values(answer: bytes) -> bool:
    """Whether a well-formed read answer in it shows a row of registers that the PLC does not have."""
    at = answer.find(b"\1\3")
    while at >= 0 and at + 3 <= len(answer):
        size = answer[at + 2]
        data = answer[at + 3 : at + 3 + size]
        if size and size % 2 == 0 and len(data) == size:
            values = struct.unpack(f">{size // 2}H", data)
            if values[0] in range(40_000, 40_200):
                return list(values) != list(range(values[0], values[0] + len(values)))
        at = answer.find(b"\1\3", at + 1)
    return False


async def one_round(rng: random.Random, plc: ModbusPlc, wrap: Wrap) -> str:
    visit = Visit(plc)
    question, right = read_question(rng)
    assert not wrong_values(await visit.say(damaged(rng, wrap(question))))
    outcome = "closed" if visit.serving.done() else "mute"
    for attempt in range(2):
        answer = await visit.say(wrap(question))
        assert not wrong_values(answer)
        if answer.endswith(wrap(right)):
            outcome = f"answered at attempt {attempt + 1}"
            break
    await visit.end()
    return outcome


@pytest.mark.timeout(600)
@pytest.mark.parametrize("frames", WRAPS)
def test_P4_no_damaged_question_breaks_the_simulator(frames: str) -> None:
    framing, wrap = WRAPS[frames]

    async def all_rounds() -> Counter[str]:
        rng, plc = random.Random(20260417), ModbusPlc(LAYOUT, framing=framing)
        return Counter([await one_round(rng, plc, wrap) for _ in range(MUTATED_FRAMES // 4)])

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        outcomes = runner.run(all_rounds())
    assert outcomes.total() == MUTATED_FRAMES // 4
    if frames == "rtu":
        assert set(outcomes) <= {"answered at attempt 1", "answered at attempt 2"}, outcomes
    else:
        assert min(outcomes["closed"], outcomes["answered at attempt 1"]) > outcomes.total() / 10
