"""Connecting, losing and closing, for every protocol alike."""

import asyncio
import os
import socket
import time

import pytest

from protocols.base import DataType
from protocols.errors import ConnectFailed, SessionLost
from tests.contract.bench import NUMBERED, ON_TCP, Bench, Reader, spec
from tests.doubles.scripted_device import Late, half_and_gone, hanging_up, silent


async def test_a_session_reads_closes_and_closes_again(bench: Bench, reader: Reader) -> None:
    bench.put(0, [42])
    tag = spec(bench.word(0), DataType.UINT16)
    assert (await reader.read(tag)).values == [42]
    await reader.session.close()
    await reader.session.close()
    with pytest.raises(SessionLost):
        await reader.read(tag)


@pytest.mark.parametrize("bench", ON_TCP, indirect=True)
async def test_nobody_listening_is_said_at_once(bench: Bench) -> None:
    await bench.device.stop()
    connection = bench.driver.connection(bench.fields(), 5)
    with pytest.raises(ConnectFailed, match=f"127.0.0.1:{bench.device.port} refused the connection"):
        await bench.driver.connect(connection)


@pytest.mark.parametrize("script", [hanging_up, half_and_gone])
async def test_a_close_fails_the_waiting_read_long_before_its_deadline(bench: Bench, script: object) -> None:
    reader = Reader(bench, bench.driver.connection(bench.fields(), 30))
    await reader.open()
    bench.device.script = script  # type: ignore[assignment]
    began = time.monotonic()
    with pytest.raises(SessionLost, match=r"closed by the device|broke"):
        await reader.read(spec(bench.word(0), DataType.UINT16))
    assert time.monotonic() - began < 5
    await reader.session.close()


async def test_a_close_between_reads_fails_the_next_one(bench: Bench, reader: Reader) -> None:
    tag = spec(bench.word(0), DataType.UINT16)
    await reader.read(tag)
    await bench.device.stop()
    with pytest.raises(SessionLost):
        await reader.read(tag)


async def test_a_new_session_reads_from_a_device_that_was_restarted(bench: Bench, reader: Reader) -> None:
    tag = spec(bench.word(3), DataType.UINT16)
    await bench.device.stop()
    with pytest.raises(SessionLost):
        await reader.read(tag)
    await reader.session.close()
    bench.put(3, [7])
    await bench.device.start()
    await reader.open()
    assert (await reader.read(tag)).values == [7]


@pytest.mark.parametrize("bench", NUMBERED, indirect=True)
@pytest.mark.parametrize("together", [True, False])
async def test_the_answer_to_a_cancelled_read_is_never_taken_for_that_to_the_next(
    bench: Bench, reader: Reader, together: bool
) -> None:
    bench.put(0, [111, 222])
    bench.device.script = Late(together=together)
    bench.device.asked.clear()
    cancelled = asyncio.create_task(reader.read(spec(bench.word(0), DataType.UINT16)))
    await bench.device.asked.wait()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await reader.read(spec(bench.word(1), DataType.UINT16))).values == [222]


async def test_a_cancelled_read_leaves_the_session_usable(bench: Bench, reader: Reader) -> None:
    bench.put(0, [111, 222])
    bench.device.script = silent
    for _ in range(3):
        bench.device.asked.clear()
        cancelled = asyncio.create_task(reader.read(spec(bench.word(0), DataType.UINT16)))
        await bench.device.asked.wait()
        cancelled.cancel()
        await asyncio.wait([cancelled])
    bench.device.script = lambda _question, answer: [answer]
    assert (await reader.read(spec(bench.word(1), DataType.UINT16))).values == [222]


async def test_a_cancelled_connect_leaves_nothing_behind(bench: Bench) -> None:
    connection = bench.driver.connection(bench.fields(), 5)
    before = _open_files()
    connecting = asyncio.create_task(bench.driver.connect(connection))
    await asyncio.sleep(0)
    connecting.cancel()
    await asyncio.wait([connecting])
    async with asyncio.timeout(5):
        while _open_files() > before:
            await asyncio.sleep(0.01)


async def test_r1_a_thousand_reconnects_leak_no_file(bench: Bench, reader: Reader) -> None:
    tag = spec(bench.word(0), DataType.UINT16)
    await reader.session.close()
    patient = bench.driver.connection(bench.fields(), 5)  # one of a thousand may be held up by the machine
    reader = Reader(bench, patient)
    await reader.open()
    before = _open_files()
    for turn in range(1_000):
        await reader.session.close()
        await reader.open()
        if turn % 100 == 0:
            await reader.read(tag)
    await reader.session.close()
    await bench.device.stop()
    assert _open_files() < before  # fewer by the listener and the first connection


@pytest.mark.parametrize("bench", ON_TCP, indirect=True)
async def test_every_connection_is_kept_alive_and_unbuffered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int, int]] = []
    plain = socket.socket.setsockopt

    def spy(self: socket.socket, level: int, option: int, value: int) -> None:
        seen.append((level, option, value))
        plain(self, level, option, value)

    monkeypatch.setattr(socket.socket, "setsockopt", spy)
    session = await bench.driver.connect(bench.driver.connection(bench.fields(), 1))
    await session.close()
    assert (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1) in seen
    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in seen


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
