"""Damaged serial frames, and damaged confirmations of writes in both frames."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import pytest

from protocols.base import Connection, DataType, PlcSession, Request, TagSpec, Write
from protocols.modbus.debts import LineDebts
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.rtu_session import ModbusRtuSession
from protocols.modbus.writes import ModbusWrite
from tests.contract import test_modbus_mutations as tcp
from tests.contract.bench import ModbusBench, ModbusRtuTcpBench
from tests.contract.mutation import ANYWHERE, MUTATED_FRAMES, TIMEOUT_S, Answers, Wire, mutated, outcome_of
from tests.doubles.modbus_device import checked


def data_of_another_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    size = rng.choice([size for size in range(0, 252, 2) if size != answer[2]])
    return checked(answer[:2] + bytes([size]) + rng.randbytes(size))


def exception(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return checked(answer[:1] + bytes([answer[1] | 0x80, rng.randrange(256)]))


def opened(_connection: Connection, _rng: random.Random) -> tuple[PlcSession, asyncio.Protocol]:
    session = ModbusRtuSession("10.0.0.7:502", LineDebts())
    return cast("PlcSession", session), session


def ask_other(_asked: bytes, other: Request) -> bytes:
    return checked(b"\7" + cast("ModbusRequest", other).question.pdu)


@pytest.mark.timeout(1800)
def test_p4_no_damaged_serial_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    mutations = (*ANYWHERE, data_of_another_size, exception)
    outcomes = mutated(Answers(ModbusRtuTcpBench(), {}, opened, ask_other, mutations).read_once)
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > MUTATED_FRAMES / 50


@dataclass(frozen=True, slots=True)
class Confirmations:
    """A driver whose confirmations of writes are mutated."""

    bench: ModbusBench
    open: Callable[[Connection, random.Random], tuple[PlcSession, asyncio.Protocol]]
    framed: Callable[[bytes, bytes], bytes]
    """From an echo on the wire and the PDU of another one to that other one on the wire."""

    async def write_once(self, rng: random.Random) -> str:
        """One write, its echo mutated: only its own echo confirms it."""
        connection = self.bench.driver.connection({"host": "10.0.0.7"}, TIMEOUT_S)
        session, client = self.open(connection, rng)
        wire, number = Wire(client), rng.randrange(1000)
        writing = asyncio.create_task(session.write(self._write(connection, number, rng.randrange(2**32))))
        echo = self.bench.device.answer(await wire.asked())
        foreign = cast("ModbusWrite", self._write(connection, number + 2000, 1)).order.pdu[:5]
        came = rng.choice(ANYWHERE)(rng, echo, self.framed(echo, foreign))
        client.data_received(came)
        outcome = await outcome_of(writing)
        assert outcome != "done" or echo in came
        await session.close()
        return outcome

    def _write(self, connection: Connection, number: int, value: int) -> Write:
        point = self.bench.driver.point(TagSpec("t", self.bench.word(number), DataType.UINT32), connection)
        return self.bench.driver.encode(connection, point, value)


CONFIRMATIONS = {
    "rtu": Confirmations(ModbusRtuTcpBench(), opened, lambda _echo, pdu: checked(b"\1" + pdu)),
    "tcp": Confirmations(ModbusBench(), tcp.opened, lambda echo, pdu: echo[:7] + pdu),
}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("frames", CONFIRMATIONS)
def test_p4_no_damaged_confirmation_is_taken_for_one(frames: str) -> None:
    outcomes = mutated(CONFIRMATIONS[frames].write_once)
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert outcomes["NoAnswer"] > MUTATED_FRAMES / 50
