"""S7 answers to the driver, and questions to the simulator, with something wrong with them."""

import asyncio
import random
from typing import cast

import pytest

from protocols.base import Connection, PlcSession, Request
from protocols.s7.connection import S7Connection
from protocols.s7.requests import S7Request
from protocols.s7.session import S7Session
from protocols.s7.wire import S7Wire
from simulators.s7 import Area, Block, Cell, S7Plc
from simulators.signals import Constant
from tests.contract.bench import S7Bench
from tests.contract.mutation import MOVED, MUTATED_FRAMES, Answers, Questions, flip, mutated, overwrite
from tests.doubles.s7_device import frame

HEADER = 25  # of an answer: TPKT, COTP, S7, function, item; what follows is data, which S7 does not protect


def data_of_another_size(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    right = len(answer) - HEADER
    data = rng.randbytes(rng.choice([size for size in range(460) if size // 2 != right // 2]))
    return frame(answer[11:13], b"\4\1", b"\xff\4" + (8 * len(data)).to_bytes(2, "big") + data)


def refusal(rng: random.Random, answer: bytes, _other: bytes) -> bytes:
    if rng.random() < 0.5:
        return frame(answer[11:13], b"", b"", rng.randrange(1, 65536))
    return frame(answer[11:13], b"\4\1", bytes([rng.randrange(255), 0, 0, rng.choice((0, 4))]))


def opened(connection: Connection, _rng: random.Random) -> tuple[PlcSession, asyncio.Protocol]:
    to_cpu = cast("S7Connection", connection)
    wire = S7Wire(to_cpu)
    return cast("PlcSession", S7Session(to_cpu, wire)), wire


def ask_other(asked: bytes, other: Request) -> bytes:
    return asked[:11] + b"\x70\x07" + asked[13:17] + cast("S7Request", other).messages[0].parameters


@pytest.mark.timeout(1800)
def test_p4_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    mutations = (flip(HEADER), overwrite(HEADER), *MOVED, data_of_another_size, refusal)
    outcomes = mutated(Answers(S7Bench(), {}, opened, ask_other, mutations).read_once)
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"]) > MUTATED_FRAMES / 50


CONNECT = bytes.fromhex("0300001611e00000000100c0010ac1020100c2020101")
SETUP = bytes.fromhex("0300001902f08032010000000100080000f0000001000101e0")


@pytest.mark.timeout(1800)
def test_p4_no_mutated_question_hangs_crashes_or_moves_the_simulator() -> None:
    right = frame(b"\0\2", b"\4\1", b"\xff\4\0\x20\x12\x34\x56\x78")
    questions = Questions(
        plc=S7Plc({(Area.DB, 1): Block(64, (Cell(0, Constant(0x1234)), Cell(2, Constant(0x5678))))}),
        question=bytes.fromhex("0300001f02f080320100000002000e00000401120a10020004000184000000"),
        other=SETUP,
        is_right=lambda answer: answer.endswith(right),
        greeting=CONNECT + SETUP,
    )
    outcomes = mutated(questions.ask_once)
    assert min(outcomes["closed"], outcomes["answered at attempt 1"]) > MUTATED_FRAMES / 10
