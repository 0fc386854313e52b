"""XGT answers to the driver, and questions to the simulator, with something wrong with them."""

import asyncio
import random
from typing import cast

import pytest

from protocols.base import Connection, PlcSession, Request
from protocols.xgt.requests import XgtRequest
from protocols.xgt.session import XgtSession
from simulators.signals import Constant
from simulators.xgt import Cell, Memory, XgtPlc
from tests.contract.bench import XgtBench
from tests.contract.mutation import (
    MOVED,
    MUTATED_FRAMES,
    Answers,
    Questions,
    flip,
    gain_a_byte,
    lose_a_byte,
    mutated,
    overwrite,
)
from tests.doubles.visit import Visit
from tests.doubles.xgt_device import HEADER, framed

HEAD = HEADER + 12  # of an answer with a block; what follows is data, which XGT does not protect


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


def opened(_connection: Connection, rng: random.Random) -> tuple[PlcSession, asyncio.Protocol]:
    session = XgtSession("10.0.0.7:2004", rng.randrange(1, 65536))
    return cast("PlcSession", session), session


def ask_other(asked: bytes, other: Request) -> bytes:
    foreign_id = ((int.from_bytes(asked[14:16], "little") + 7) % 65536).to_bytes(2, "little")
    return asked[:14] + foreign_id + asked[16:HEADER] + cast("XgtRequest", other).question.body


@pytest.mark.timeout(1800)
def test_p4_no_mutated_answer_gives_a_wrong_value_a_hang_or_a_foreign_exception() -> None:
    mutations = (flip(HEAD), overwrite(HEAD), *MOVED, data_of_another_size, words_one_by_one, refusal)
    outcomes = mutated(Answers(XgtBench(), {"family": "xgk"}, opened, ask_other, mutations).read_once)
    assert outcomes["BadAnswer"] > MUTATED_FRAMES / 3
    assert min(outcomes["NoAnswer"], outcomes["RequestRefused"], outcomes["done"]) > MUTATED_FRAMES / 50


BLOCK_OF_K = bytes.fromhex("54001400000001000800254B423136303030 0400")
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


def simulator() -> XgtPlc:
    return XgtPlc(Memory([Cell("K", 16_000, Constant(0x3039)), Cell("K", 16_002, Constant(0x1234))]))


@pytest.mark.timeout(1800)
def test_p4_no_mutated_question_hangs_crashes_or_moves_the_simulator() -> None:
    values = b"\0\0\1\0\4\0\x39\x30\x34\x12"
    questions = Questions(
        plc=simulator(),
        question=asked(7, BLOCK_OF_K),
        other=asked(8, QUESTIONS[4]),
        is_right=lambda answers: answers.endswith(values) and answers[-36:][14:16] == b"\7\0",
    )
    outcomes = mutated(questions.ask_once)
    assert min(outcomes["closed"], outcomes["answered at attempt 1"]) > MUTATED_FRAMES / 10


@pytest.mark.timeout(1800)
def test_p4_no_mutated_instruction_goes_unanswered() -> None:
    plc = simulator()
    inside = (flip(), overwrite(), lose_a_byte, gain_a_byte)

    async def ask_once(rng: random.Random) -> str:
        instruction = rng.choice(inside)(rng, rng.choice(QUESTIONS), b"")
        invoke, visit = rng.randrange(65536), Visit(plc)
        answer = await visit.say(asked(invoke, instruction))
        await visit.end()
        assert (answer[:8], answer[13], answer[19]) == (b"LSIS-XGT", 0x11, sum(answer[:19]) % 256)
        assert int.from_bytes(answer[14:16], "little") == invoke
        assert int.from_bytes(answer[16:18], "little") == len(answer) - HEADER
        assert answer[HEADER] == (instruction[0] + 1) % 256
        return "carried out" if answer[HEADER + 6 : HEADER + 8] == b"\0\0" else "refused"

    outcomes = mutated(ask_once)
    assert min(outcomes["carried out"], outcomes["refused"]) > MUTATED_FRAMES / 50
