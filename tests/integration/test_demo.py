"""`demo` and `watch` as a visitor starts them: real processes, a real terminal, real signals."""

import asyncio
import codecs
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from simulators.edge import MadeUpEdge
from tests.doubles.mosquitto import Mosquitto, mosquitto_program

pytestmark = pytest.mark.timeout(150)

ROOT = Path(__file__).parents[2]
VERDICT = re.compile(r"made +(\d+) .*acknowledged +(\d+) .*waiting +(\d+) .*received +(\d+) .*lost +(\d+) ", re.S)
_COLOURS = re.compile(r"\x1b\[[\d;]*m")


class Command:
    """A command that runs, and all that it has said so far."""

    def __init__(self, process: asyncio.subprocess.Process, read: Callable[[], AsyncIterator[bytes]]) -> None:
        self.process = process
        self.said = ""
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(read()))

    async def until(self, pattern: str, within_s: float = 45) -> re.Match[str]:
        """Wait until it has said this."""
        try:
            async with asyncio.timeout(within_s):
                while (found := re.search(pattern, _COLOURS.sub("", self.said))) is None:
                    assert not self._reading.done(), f"it ended without {pattern!r}:\n{self.said}"
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            pytest.fail(f"no {pattern!r} in {within_s:g} s:\n{self.said[-3000:]}")
        return found

    async def end(self, within_s: float = 45) -> int:
        """Wait for the exit; returns its status."""
        async with asyncio.timeout(within_s):
            status = await self.process.wait()
            await self._reading
        return status

    async def _read(self, pieces: AsyncIterator[bytes]) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        async for piece in pieces:
            self.said += decoder.decode(piece)
            self._news.set()
        self._news.set()


@asynccontextmanager
async def running(folder: Path, *arguments: str, screen: tuple[int, int] | None = None) -> AsyncIterator[Command]:
    """`edge-collector …`, its temporary files in `folder`; with `screen` (rows, columns) in a terminal of that size."""
    master, slave = pty.openpty() if screen else (None, asyncio.subprocess.PIPE)
    if screen:
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *screen, 0, 0))
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector", *arguments),
        cwd=folder,
        env={name: value for name, value in environment.items() if name not in ("FORCE_COLOR", "NO_COLOR", "COLUMNS")},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=slave,
        stderr=slave if screen else asyncio.subprocess.STDOUT,
    )
    if master is not None:
        os.close(slave)
    try:
        yield Command(process, lambda: _of_terminal(master) if master is not None else _of_pipe(process))
    finally:
        if process.returncode is None:
            started = psutil.Process(process.pid).children(recursive=True)
            process.kill()
            for child in started:
                with suppress(psutil.NoSuchProcess):  # it went along
                    child.kill()
            await process.wait()


async def _of_pipe(process: asyncio.subprocess.Process) -> AsyncIterator[bytes]:
    assert process.stdout is not None
    while piece := await process.stdout.read(65_536):
        yield piece


async def _of_terminal(master: int) -> AsyncIterator[bytes]:
    with os.fdopen(master, "rb", buffering=0) as terminal:
        while True:
            try:
                piece = await asyncio.to_thread(terminal.read, 65_536)
            except OSError:  # how a terminal says that nobody has it open any more
                return
            yield piece


def _books(said: str) -> tuple[int, ...]:
    found = VERDICT.search(said)
    assert found, said
    return tuple(map(int, found.groups()))


def _every_protocol_has_values(said: str) -> None:
    for protocol in ("Modbus TCP", "S7", "XGT", "OPC-UA"):
        assert re.search(rf"^{protocol} +127\.0\.0\.1:\d+, ", said, re.M), said
    last = [line for line in said.splitlines() if "devices 6/6 online" in line][-1]
    for tag in ("생산수량", "토출압력", "충전수량", "체결토크", "충전량", "CPU사용률"):
        assert re.search(rf"{tag} [\d,.]+", last), last


def _left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith("edge-collector-demo-")]


@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
async def test_an_outage_of_the_broker_costs_no_message(tmp_path: Path, broker: str) -> None:
    options = ["--embedded"] if broker == "embedded" else []
    async with running(tmp_path, "demo", "--duration", "12", "--outage", "3", *options) as demo:
        await demo.until(rf"(?i)broker +mqtt://127\.0\.0\.1:\d+, .*{broker}")
        children = psutil.Process(demo.process.pid).children()
        assert await demo.end() == 0
    made, acknowledged, waiting, received, lost = _books(demo.said)
    assert made > 60
    assert (acknowledged, waiting, received, lost) == (made, 0, made, 0)
    assert re.search(r"broker stopped, back in \d s \| .* waiting [1-9]", demo.said)
    _every_protocol_has_values(demo.said)
    assert re.search(r"from disk +[1-9]", demo.said)
    assert f"Nothing was lost: all {made} messages arrived." in demo.said
    assert f"✓ the books add up: {made} recorded = {made} acknowledged + 0 waiting + 0 given up" in demo.said
    assert "✓ no hole: every number in the sequence came" in demo.said
    assert "✗" not in demo.said
    assert "\x1b" not in demo.said
    assert "Traceback" not in demo.said
    assert _left_behind(tmp_path) == []
    assert not any(child.is_running() for child in children)


async def test_ctrl_c_in_the_middle_of_an_outage_ends_it_and_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, "demo", "--duration", "60", "--outage", "50") as demo:
        await demo.until(r"broker stopped, back in \d+ s \| .* waiting [1-9]\d")
        asked = time.monotonic()
        demo.process.send_signal(signal.SIGINT)
        assert await demo.end() == 0
        assert time.monotonic() - asked < 30  # the outage would have gone on for longer
    made, _, waiting, received, lost = _books(demo.said)
    assert (waiting, received, lost) == (0, made, 0)
    assert "Traceback" not in demo.said
    assert _left_behind(tmp_path) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a process can not be tied to its parent")
@pytest.mark.parametrize("broker", ["mosquitto", "embedded"])
async def test_a_demo_that_is_killed_outright_leaves_no_process_behind(tmp_path: Path, broker: str) -> None:
    if broker == "mosquitto":
        mosquitto_program()
    async with running(tmp_path, "demo", *(["--embedded"] if broker == "embedded" else [])) as demo:
        await demo.until(r"(?m)^OPC-UA +127\.0\.0\.1:\d+, ")
        started = psutil.Process(demo.process.pid).children(recursive=True)
        try:
            programs = {word for child in started for word in child.cmdline()}
            assert {"opcua", "collector.cli.demo.gateway_process"} <= programs
            assert any(word.endswith("/mosquitto") for word in programs) == (broker == "mosquitto")
            demo.process.kill()
            await demo.process.wait()
            async with asyncio.timeout(20):
                while any(map(_lives, started)):
                    await asyncio.sleep(0.05)
        finally:
            for child in filter(_lives, started):
                with suppress(psutil.NoSuchProcess):
                    child.kill()


def _lives(process: psutil.Process) -> bool:
    """A zombie does not: who adopts orphans may be slow to look after them."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_in_a_terminal_values_are_seen_within_five_seconds(tmp_path: Path) -> None:
    async with running(tmp_path, "demo", screen=(24, 80)) as demo:
        # On a machine that is busy with other things already, nobody promises five seconds.
        within_s = 5 if os.getloadavg()[0] < (os.cpu_count() or 1) / 2 else 45
        started = time.monotonic()
        await demo.until(r"temperature.*\d+\.\d\d °C", within_s=within_s)
        await demo.until("● online")
        assert time.monotonic() - started < within_s
        children = psutil.Process(demo.process.pid).children()
        demo.process.send_signal(signal.SIGTERM)
        assert await demo.end() == 0
    assert demo.said.rindex("\x1b[?1049l") < demo.said.index("Nothing was lost")
    assert "Traceback" not in demo.said
    assert _left_behind(tmp_path) == []
    assert not any(child.is_running() for child in children)


async def test_a_duration_too_short_for_the_outage_starts_nothing(tmp_path: Path) -> None:
    async with running(tmp_path, "demo", "--duration", "10", "--outage", "20") as demo:
        assert await demo.end() == 2
    assert "expected at least --duration 28" in demo.said
    assert "broker " not in demo.said


async def test_watch_waits_for_the_broker_and_sums_up(tmp_path: Path) -> None:
    broker = Mosquitto()
    async with running(tmp_path, "watch", "--broker", broker.url, "--edge", "edge-7") as watch:
        await watch.until(rf"no connection to {re.escape(broker.url)}: .*refused; trying again")
        async with broker:
            await watch.until(rf"listening at {re.escape(broker.url)}")
            async with MadeUpEdge("edge-7", broker.url, interval_s=0.05), MadeUpEdge("edge-8", broker.url):
                await watch.until(r"edge-7  status +status=online")
                await watch.until(r"edge-7  data +connection 1  .*생산수량=\d+.* \+\d+ ms")
            await watch.until(r"status=offline  reason=shutdown")
        watch.process.send_signal(signal.SIGINT)
        assert await watch.end() == 0
    last = watch.said.splitlines()[-1]
    assert re.fullmatch(
        r"\d+ messages; data: [1-9]\d* distinct, 0 dup.* 0 missing.*; delay p50 \d+ ms, p99 \d+ ms", last
    )
    assert "edge-8" not in watch.said
    assert "Traceback" not in watch.said
