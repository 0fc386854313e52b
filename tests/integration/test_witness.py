"""What stands between a client and a device passes everything on, and notes what was a poll."""

import asyncio
import sys
import time
from array import array
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.plc import Plcs
from tests.benchmarks.processes import first_line, running

LEAST = 10
LONG_S = 1_000.0


async def _repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A device that has no answer of its own."""
    while question := await reader.read(100):
        writer.write(question)
    writer.close()


async def _ask(port: int, questions: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for question in questions:
        writer.write(question)
        assert await reader.readexactly(len(question)) == question
    writer.close()
    await writer.wait_closed()


async def _noted(log: Path, many: int) -> list[tuple[int, ...]]:
    async with asyncio.timeout(30):
        while True:
            numbers = array("q", log.read_bytes()) if log.exists() else array("q")
            if len(numbers) >= 3 * many:
                return [tuple(numbers[at : at + 3]) for at in range(0, len(numbers), 3)]
            await asyncio.sleep(0.02)


async def test_polls_are_noted_by_device_and_signs_of_life_are_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    device = await asyncio.start_server(_repeat, "127.0.0.1", 0)
    inner = str(device.sockets[0].getsockname()[1])
    command = (sys.executable, "-m", "tests.benchmarks.witness", str(log), str(LEAST), inner, inner)
    async with device:
        with running(command) as process:
            first, second = map(int, first_line(process).split())
            begun_ns = time.time_ns()
            await _ask(first, [b"question 1", b"alive?", b"question 2"])
            await _ask(second, [b"question 3"])
            noted = await _noted(log, 3)
        ended_ns = time.time_ns()

    assert [number for number, _, _ in noted] == [0, 0, 1]
    moments = [moment for _, *both in noted for moment in both]
    assert [begun_ns, *moments, ended_ns] == sorted([begun_ns, *moments, ended_ns])
    assert [len(polls) for polls in Plcs((first, second), (log,)).polls(LONG_S)] == [1, 1]
