"""Damaged serial frames, and damaged confirmations of writes in both frames, from a fixed seed."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pytest

from protocols.base import Cycle, DataType, TagSpec, Value
from protocols.errors import RequestRefused, SessionError
from protocols.modbus.debts import LineDebts
from protocols.modbus.driver import ModbusRtuTcpDriver, ModbusTcpDriver
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.rtu_session import ModbusRtuSession
from protocols.modbus.session import ModbusSession
from protocols.modbus.tcp_session import ModbusTcpSession
from protocols.modbus.writes import ModbusWrite
from tests.contract.test_modbus_mutations import (
    MUTATED_FRAMES,
    TIMEOUT_S,
    Mutation,
    Wire,
    another_request,
    another_request_before,
    begin_inside,
    gain_a_byte,
    lose_a_byte,
    noise,
    repeat,
    truncate,
)
from tests.doubles.clock import LeapingLoop
from tests.doubles.modbus_device import ModbusDevice, ModbusRtuDevice, checked

RTU_DRIVER = ModbusRtuTcpDriver()
RTU = RTU_DRIVER.connection({"host": "10.0.0.7"}, TIMEOUT_S)
TCP_DRIVER = ModbusTcpDriver()
TCP = TCP_DRIVER.connection({"host": "10.0.0.7"}, TIMEOUT_S)


def flip_anywhere(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    at = rng.randrange(len(answer))
    return answer[:at] + bytes([answer[at] ^ 1 << rng.randrange(8)]) + answer[at + 1 :]


def overwrite_anywhere(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    changed = bytearray(answer)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(answer))] = rng.randrange(256)
    return bytes(changed)


def data_of_another_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    size = rng.choice([size for size in range(0, 252, 2) if size != answer[2]])
    return checked(answer[:2] + bytes([size]) + rng.randbytes(size))


def exception(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return checked(answer[:1] + bytes([answer[1] | 0x80, rng.randrange(256)]))


ANYWHERE: Sequence[Mutation] = (
    flip_anywhere, overwrite_anywhere, truncate, lose_a_byte, gain_a_byte, repeat, begin_inside, another_request,
    another_request_before, noise,
)  # fmt: skip
MUTATIONS: Sequence[Mutation] = (*ANYWHERE, data_of_another_size, exception)


@dataclass(frozen=True, slots=True)
class Setting:
    """A protocol's frames, made in memory."""

    session: Callable[[], ModbusSession]
    device: ModbusDevice
    write: Callable[[int, int], ModbusWrite]


def rtu_session() -> ModbusSession:
    return ModbusRtuSession("10.0.0.7:502", LineDebts())


def rtu_write(offset: int, value: int) -> ModbusWrite:
    tag = TagSpec("t", f"HR{offset}", DataType.UINT32)
    return RTU_DRIVER.encode(RTU, RTU_DRIVER.point(tag, RTU), value)


def tcp_write(offset: int, value: int) -> ModbusWrite:
    tag = TagSpec("t", f"HR{offset}", DataType.UINT32)
    return TCP_DRIVER.encode(TCP, TCP_DRIVER.point(tag, TCP), value)


SETTINGS = {
    "rtu": Setting(rtu_session, ModbusRtuDevice(), rtu_write),
    "tcp": Setting(lambda: ModbusTcpSession("10.0.0.7:502"), ModbusDevice(), tcp_write),
}


def question(device: ModbusDevice, start: int, count: int, value: int) -> tuple[ModbusRequest, list[Value | None]]:
    """A request for registers that hold values which no other registers hold in this round."""
    values = [(value + i) % 65536 for i in range(count)]
    device.words[3].update(enumerate(values, start))
    tags = [TagSpec("t", f"HR{start + i}", DataType.UINT16) for i in range(count)]
    (request,) = RTU_DRIVER.compile(RTU, [RTU_DRIVER.point(tag, RTU) for tag in tags])
    return request, list(values)


async def one_read(rng: random.Random, setting: Setting) -> str:
    session, device = setting.session(), setting.device
    wire = Wire(session)
    session.connection_made(wire)
    count = rng.randint(1, 8)
    request, right = question(device, rng.randrange(1000), count, rng.randrange(30_000))
    other, _ = question(device, 2000 + rng.randrange(1000), count, 40_000 + rng.randrange(20_000))
    cycle = Cycle([None] * count)
    reading = asyncio.create_task(session.read(request, cycle))
    while not wire.written:
        await asyncio.sleep(0)
    foreign = device.answer(checked(b"\7" + other.question.pdu))
    session.data_received(rng.choice(MUTATIONS)(rng, device.answer(wire.written), foreign))
    outcome = await _outcome(reading)
    assert cycle.values == (right if outcome == "done" else [None] * count)
    await session.close()
    return outcome


async def one_write(rng: random.Random, setting: Setting) -> str:
    session, device = setting.session(), setting.device
    wire = Wire(session)
    session.connection_made(wire)
    offset = rng.randrange(1000)
    writing = asyncio.create_task(session.write(setting.write(offset, rng.randrange(2**32))))
    while not wire.written:
        await asyncio.sleep(0)
    echo = device.answer(wire.written)
    foreign = setting.write(offset + 2000, 1).order.pdu[:5]
    other = checked(b"\1" + foreign) if isinstance(device, ModbusRtuDevice) else echo[:7] + foreign
    came = rng.choice(ANYWHERE)(rng, echo, other)
    session.data_received(came)
    outcome = await _outcome(writing)
    if outcome == "done":
        assert echo in came, "only its own echo confirms a write"
    await session.close()
    return outcome


Reading: TypeAlias = "asyncio.Task[None]"


async def _outcome(asking: Reading) -> str:
    loop = asyncio.get_running_loop()
    began = loop.time()
    try:
        await asking
    except (SessionError, RequestRefused) as error:
        return type(error).__name__
    finally:
        assert loop.time() - began <= TIMEOUT_S + 0.1
    return "done"


def run(setting: Setting, one_round: Callable[[random.Random, Setting], object], rounds: int) -> Counter[str]:
    async def all_rounds() -> Counter[str]:
        rng = random.Random(20260417)
        return Counter([await one_round(rng, setting) for _ in range(rounds)])  # type: ignore[misc]

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(all_rounds())


@pytest.mark.timeout(600)
def test_P4_no_damaged_serial_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    rounds = MUTATED_FRAMES // 2
    outcomes = run(SETTINGS["rtu"], one_read, rounds)
    assert outcomes.total() == rounds
    assert outcomes["BadAnswer"] > rounds / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > rounds / 50


@pytest.mark.timeout(600)
@pytest.mark.parametrize("frames", SETTINGS)
def test_P4_no_damaged_confirmation_is_taken_for_one(frames: str) -> None:
    rounds = MUTATED_FRAMES // 4
    outcomes = run(SETTINGS[frames], one_write, rounds)
    assert outcomes.total() == rounds
    assert outcomes["BadAnswer"] > rounds / 3
    assert outcomes["NoAnswer"] > rounds / 50
