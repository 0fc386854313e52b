"""What a device may do wrong, and what must come of it: never a wrong value, never a wait past the deadline."""

import asyncio
import time

import pytest

from protocols.base import Cycle, DataType
from protocols.errors import BadAnswer, NoAnswer, RequestRefused
from protocols.quality import Quality
from tests.contract.bench import BENCHES, NUMBERED, WORD_BENCHES, Bench, Reader, spec
from tests.contract.conftest import TIMEOUT_S
from tests.doubles.scripted_device import Script, dripping, garbage, half, silent


@pytest.mark.parametrize("script", [silent, half])
async def test_silence_ends_at_the_deadline_and_names_who_was_asked_for_what(
    bench: Bench, reader: Reader, script: Script
) -> None:
    bench.device.script = script
    tag = spec(bench.word(0), DataType.UINT32)
    (request,) = reader.requests(tag)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match=f"^{reader.connection.where} did not answer .* within 0.25 s$") as caught:
        await reader.read(tag)
    assert TIMEOUT_S * 0.9 < time.monotonic() - began < TIMEOUT_S + 1
    assert request.subject.partition(" of ")[0] in str(caught.value)
    assert caught.value.quality is Quality.TIMEOUT


async def test_an_answer_that_comes_a_byte_at_a_time_is_an_answer(bench: Bench, reader: Reader) -> None:
    bench.device.script = dripping
    bench.put(0, [0x1234])
    assert (await reader.read(spec(bench.word(0), DataType.UINT16))).values == [0x1234]


async def test_garbage_is_no_answer(bench: Bench, reader: Reader) -> None:
    bench.device.script = garbage
    with pytest.raises(BadAnswer):
        await reader.read(spec(bench.word(0), DataType.UINT16))


@pytest.mark.parametrize("bench", NUMBERED, indirect=True)
async def test_bytes_that_nobody_asked_for_end_the_session(bench: Bench, reader: Reader) -> None:
    bench.put(0, [12])
    bench.device.script = lambda _question, answer: [answer, 0.01, answer]
    assert (await reader.read(spec(bench.word(0), DataType.UINT16))).values == [12]
    cycle = Cycle([None])
    (request,) = reader.requests(spec(bench.word(0), DataType.UINT16))
    async with asyncio.timeout(5):
        while bench.device.connections():
            await asyncio.sleep(0.005)
    with pytest.raises(BadAnswer):
        await reader.session.read(request, cycle)
    assert cycle == Cycle([None])


@pytest.mark.parametrize(
    ("bench", "name"), [(each, name) for each in BENCHES for name in each.impostors], indirect=["bench"]
)
async def test_an_answer_that_does_not_match_gives_no_value(bench: Bench, reader: Reader, name: str) -> None:
    bench.put(0, [1, 2, 3])
    bench.device.script = bench.impostors[name]
    (request,) = reader.requests(spec(bench.word(0), DataType.UINT16, length=3))
    cycle = Cycle([None])
    with pytest.raises(BadAnswer):
        await reader.session.read(request, cycle)
    assert cycle == Cycle([None])
    with pytest.raises(BadAnswer):
        await reader.session.read(request, cycle)


@pytest.mark.parametrize("bench", WORD_BENCHES, indirect=True)
async def test_a_missing_address_costs_the_request_and_not_the_session(bench: Bench, reader: Reader) -> None:
    bench.put(5, [55])
    bench.remove(9)
    with pytest.raises(RequestRefused) as caught:
        await reader.read(spec(bench.word(9), DataType.UINT16))
    assert caught.value.quality is Quality.BAD_ADDRESS
    assert caught.value.isolate
    assert not caught.value.whole
    assert (await reader.read(spec(bench.word(5), DataType.UINT16))).values == [55]


async def test_a_device_that_is_unwell_says_so(bench: Bench, reader: Reader) -> None:
    bench.refuse_everything()
    with pytest.raises(RequestRefused) as caught:
        await reader.read(spec(bench.word(0), DataType.UINT16))
    assert caught.value.quality is Quality.DEVICE_ERROR
