"""Modbus TCP answers with something wrong with them."""

import asyncio
import random
from typing import cast

import pytest

from protocols.base import Connection, Cycle, DataType, PlcSession, Request, TagSpec
from protocols.errors import RequestRefused, SessionError
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.tcp_session import ModbusTcpSession
from tests.contract.bench import ModbusBench
from tests.contract.mutation import MOVED, MUTATED_FRAMES, Answers, Mutation, flip, mutated, overwrite

HEADER = 9  # of an answer: MBAP, function, byte count; what follows is data, which Modbus TCP does not protect


def data_of_another_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    right = answer[8] // 2
    data = rng.randbytes(2 * rng.choice([size for size in range(126) if size != right]))
    return answer[:4] + (len(data) + 3).to_bytes(2, "big") + answer[6:8] + bytes([len(data)]) + data


def exception(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    return answer[:4] + b"\0\3" + answer[6:7] + bytes([answer[7] | 0x80, rng.randrange(256)])


MUTATIONS: tuple[Mutation, ...] = (flip(HEADER), overwrite(HEADER), *MOVED, data_of_another_size, exception)


def opened(_connection: Connection, _rng: random.Random) -> tuple[PlcSession, asyncio.Protocol]:
    session = ModbusTcpSession("10.0.0.7:502")
    return cast("PlcSession", session), session


def ask_other(asked: bytes, other: Request) -> bytes:
    return asked[:1] + b"\x07" + asked[2:7] + cast("ModbusRequest", other).question.pdu


@pytest.mark.timeout(1800)
def test_p4_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    outcomes = mutated(Answers(ModbusBench(), {}, opened, ask_other, MUTATIONS).read_once)
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > MUTATED_FRAMES / 50


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
async def test_the_same_on_a_real_socket(mutation: Mutation) -> None:
    rng, bench = random.Random(7), ModbusBench()
    await bench.device.start()
    connection = bench.driver.connection(bench.fields(), 0.15)
    bench.put(0, [1111, 2222])
    foreign = b"\x7f\x07" + bytes.fromhex("0000000701030430394444")
    bench.device.script = lambda _question, answer: [mutation(rng, answer, foreign)]
    tags = [TagSpec("t", bench.word(number), DataType.UINT16) for number in (0, 1)]
    (request,) = bench.driver.compile(connection, [bench.driver.point(tag, connection) for tag in tags])
    for _ in range(3):
        session = await bench.driver.connect(connection)
        cycle = Cycle([None, None])
        try:
            await session.read(request, cycle)
        except (SessionError, RequestRefused):
            assert cycle.values == [None, None]
        else:
            assert cycle.values == [1111, 2222]
        await session.close()
    await bench.device.stop()
