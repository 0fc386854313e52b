"""What only serial frames have: no transaction ids, checksums, and noise."""

import asyncio
import time

import pytest

from protocols.base import DataType
from protocols.errors import BadAnswer, NoAnswer, SessionError
from tests.contract.bench import ModbusRtuBench, ModbusRtuTcpBench, Reader, spec
from tests.contract.conftest import TIMEOUT_S
from tests.doubles.modbus_device import checked
from tests.doubles.scripted_device import Script, Step, honest

pytestmark = pytest.mark.parametrize("bench", [ModbusRtuBench, ModbusRtuTcpBench], indirect=True)
Bench = ModbusRtuBench | ModbusRtuTcpBench
FIRST, SECOND = spec("HR0", DataType.UINT16), spec("HR1", DataType.UINT16)


def once(step: Script) -> Script:
    """Misbehave for one question, then be honest."""
    left = [step]

    def script(question: bytes, answer: bytes) -> list[Step]:
        return [*(left.pop() if left else honest)(question, answer)]

    return script


def after(seconds: float) -> Script:
    return lambda _question, answer: [seconds, answer]


@pytest.fixture
async def unit_2(bench: Bench, reader: Reader) -> Reader:
    """Another unit behind the same wire, through the same session."""
    other = Reader(bench, bench.driver.connection({**bench.fields(), "unit_id": 2}, TIMEOUT_S))
    assert other.connection.link == reader.connection.link
    other.session = reader.session
    return other


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize("late_s", [1.1 * TIMEOUT_S, 1.5 * TIMEOUT_S])
async def test_p3_a_late_answer_is_not_taken_for_that_to_the_next_question(
    bench: Bench, reader: Reader, late_s: float, reopened: bool
) -> None:
    bench.put(0, [111, 222])
    bench.device.script = once(after(late_s))
    with pytest.raises(NoAnswer):
        await reader.read(FIRST)
    if reopened:
        await reader.session.close()
        await reader.open()
    assert (await reader.read(SECOND)).values == [222]
    assert (await reader.read(FIRST)).values == [111]


async def test_p3_the_answer_to_a_cancelled_question_is_waited_out(bench: Bench, reader: Reader) -> None:
    bench.put(0, [111, 222])
    bench.device.script = once(after(0.1))
    cancelled = asyncio.create_task(reader.read(FIRST))
    await bench.device.asked.wait()
    cancelled.cancel()
    await asyncio.wait([cancelled])
    began = time.monotonic()
    assert (await reader.read(SECOND)).values == [222]
    assert time.monotonic() - began < TIMEOUT_S, "it came, so the rest of the time need not be waited out"


async def test_p3_the_late_answer_of_another_unit_disturbs_nobody(bench: Bench, reader: Reader, unit_2: Reader) -> None:
    bench.put(0, [111, 222])
    held: list[bytes] = []

    def script(question: bytes, answer: bytes) -> list[Step]:
        if question[0] == 2 and not held:
            held.append(answer)
            return []
        return [held[0], 0.005, answer] if question[0] == 1 else [answer]

    bench.device.script = script
    with pytest.raises(NoAnswer):
        await unit_2.read(FIRST)
    began = time.monotonic()
    assert (await reader.read(SECOND)).values == [222]
    assert time.monotonic() - began < TIMEOUT_S / 2, "only the unit that owes an answer has to wait"
    bench.device.script = honest
    assert (await unit_2.read(SECOND)).values == [222]


async def test_a_damaged_answer_owes_nothing_so_the_next_session_asks_at_once(bench: Bench, reader: Reader) -> None:
    bench.put(0, [111, 222])
    bench.device.script = once(lambda _question, answer: [answer[:-1] + bytes([answer[-1] ^ 1])])
    with pytest.raises(BadAnswer, match="checksum is wrong"):
        await reader.read(FIRST)
    await reader.session.close()
    began = time.monotonic()
    await reader.open()
    assert (await reader.read(SECOND)).values == [222]
    assert time.monotonic() - began < TIMEOUT_S / 2


async def test_bytes_between_frames_are_thrown_away(bench: Bench, reader: Reader) -> None:
    bench.put(0, [111, 222])
    bench.device.script = once(lambda _question, answer: [answer, 0.02, b"\x17", answer, b"\xde\xad"])
    assert (await reader.read(FIRST)).values == [111]
    await asyncio.sleep(0.1)
    assert (await reader.read(SECOND)).values == [222]


async def test_glitches_around_a_frame_cost_nothing(bench: Bench, reader: Reader) -> None:
    bench.put(0, [0x00FF, 0xFF00])
    bench.device.script = lambda _question, answer: [b"\0\xff\0" + answer + b"\xff\0\xff"]
    assert (await reader.read(FIRST, SECOND)).values == [0x00FF, 0xFF00]
    await reader.write(FIRST, 0xFFFF)
    assert (await reader.read(FIRST)).values == [0xFFFF]


@pytest.mark.parametrize(
    "changed",
    [
        lambda echo: checked(echo[:5] + b"\x08"),
        lambda echo: checked(echo[:3] + b"\x01" + echo[4:6]),
        lambda echo: echo[:-1] + bytes([echo[-1] ^ 1]),
    ],
    ids=["another value", "another address", "wrong checksum"],
)
async def test_only_its_own_echo_confirms_a_write(bench: Bench, reader: Reader, changed: object) -> None:
    bench.device.script = lambda _question, answer: [changed(answer)]  # type: ignore[operator]
    with pytest.raises(SessionError):
        await reader.write(FIRST, 7)


async def test_units_on_one_line_share_a_session(bench: Bench, reader: Reader, unit_2: Reader) -> None:
    await reader.read(FIRST)
    await unit_2.read(FIRST)
    assert [question[0] for question in bench.device.questions] == [1, 2]
