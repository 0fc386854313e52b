"""The simulators in the foreground."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Awaitable
from pathlib import Path

import httpx
import pytest

from simulators.commands import run_broker, run_edge, run_fleet, run_modbus
from simulators.foreground import stay
from tests.doubles.mosquitto import Mosquitto, free_port


class Terminal:
    """Collects what a command says; `said` waits for a line that matches."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._news = asyncio.Event()

    def echo(self, line: str) -> None:
        self.lines.append(line)
        self._news.set()

    async def said(self, pattern: str) -> re.Match[str]:
        async with asyncio.timeout(10):
            while True:
                self._news.clear()
                for line in self.lines:
                    if found := re.search(pattern, line):
                        return found
                await self._news.wait()


async def test_modbus_says_where_it_is_and_ends_when_told() -> None:
    terminal, stop = Terminal(), asyncio.Event()
    running = asyncio.create_task(run_modbus(echo=terminal.echo, port=0, faults=["slow_s=0.01"], stop=stop))
    port = (await terminal.said(r"PLC at 127.0.0.1:(\d+), unit 1"))[1]
    _, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.close()
    stop.set()
    await asyncio.wait_for(running, 5)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", int(port))


async def test_a_fault_that_is_not_understood_ends_the_command() -> None:
    with pytest.raises(ValueError, match="'sulky' is unknown"):
        await run_modbus(echo=print, port=0, faults=["sulky"])


async def test_broker_edge_and_fleet_work_together(tmp_path: Path) -> None:
    terminal, stop = Terminal(), asyncio.Event()
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"

    async def after(line: str, command: Awaitable[None]) -> None:
        await terminal.said(line)
        await command

    async with asyncio.TaskGroup() as group:
        group.create_task(run_broker(echo=terminal.echo, port=port, stop=stop))
        fleet = run_fleet(echo=terminal.echo, port=0, broker_url=url, document_file=tmp_path / "no", stop=stop)
        edge = run_edge(echo=terminal.echo, broker_url=url, interval_s=0.01, stop=stop)
        group.create_task(after("MQTT 3.1.1 broker", fleet))
        group.create_task(after("Fleet server at", edge))
        server = (await terminal.said(r"Fleet server at (http://\S+) "))[1]
        await terminal.said("no can not be read")
        async with httpx.AsyncClient(base_url=server) as http, asyncio.timeout(10):
            while not (latest := (await http.get("/api/fleet/v1/edges/edge-test-001/latest")).json()):
                await asyncio.sleep(0.02)
            config = await http.get("/api/fleet/v1/edges/edge-test-001/config")
        stop.set()
    assert "생산수량" in latest
    assert config.json()["devices"] == []


async def test_a_fleet_without_its_broker_says_so_and_hides_no_password_in_edge() -> None:
    terminal, stop = Terminal(), asyncio.Event()
    fleet = asyncio.create_task(run_fleet(echo=terminal.echo, port=0, broker_url="mqtt://127.0.0.1:1", stop=stop))
    await terminal.said("broker at mqtt://127.0.0.1:1 does not answer yet")
    async with Mosquitto() as broker:
        url = broker.url.replace("://", "://someone:s3cret@")
        edge = asyncio.create_task(run_edge(echo=terminal.echo, broker_url=url, stop=stop))
        await terminal.said(f"Edge edge-test-001 sends .* to {broker.url};")
        stop.set()
        await asyncio.gather(fleet, edge)
    assert not any("s3cret" in line for line in terminal.lines)


async def test_the_status_is_said_only_when_it_has_changed() -> None:
    terminal, stop = Terminal(), asyncio.Event()
    state, asked = ["a"], 0

    def status() -> str:
        nonlocal asked
        asked += 1
        if asked == 5:
            state[0] = "b"
        if asked == 10:
            stop.set()
        return state[0]

    await asyncio.wait_for(stay(["hello"], status, terminal.echo, stop=stop, every_s=0.001), 5)
    assert terminal.lines == ["hello", "b"]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it(how: signal.Signals) -> None:
    asked = asyncio.Event()

    def status() -> str:
        asked.set()
        return ""

    staying = asyncio.create_task(stay([], status, print))
    await asked.wait()
    os.kill(os.getpid(), how)
    await asyncio.wait_for(staying, 5)


async def test_typed_orders_are_obeyed_and_mistakes_explained() -> None:
    terminal, stop = Terminal(), asyncio.Event()
    obeyed: list[str] = []

    def obey(line: str) -> None:
        obeyed.append(line.strip())
        if "sulky" in line:
            raise ValueError("fault 'sulky' is unknown")

    there, here = os.pipe()
    with os.fdopen(there) as typed, os.fdopen(here, "w") as keyboard:
        staying = asyncio.create_task(stay([], str, terminal.echo, stop=stop, obey=obey, typed=typed))
        keyboard.write("sulky\n")
        keyboard.flush()
        await terminal.said("'sulky' is unknown")
        keyboard.close()
        stop.set()
        await asyncio.wait_for(staying, 5)
    assert obeyed == ["sulky"]


async def test_the_real_process_ends_cleanly_at_sigterm() -> None:
    program = (
        "import asyncio\n"
        "from simulators.commands import run_modbus\n"
        "asyncio.run(run_modbus(echo=lambda line: print(line, flush=True), port=0))\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert b"Modbus TCP PLC at" in await asyncio.wait_for(process.stdout.readline(), 20)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 10)
        assert (process.returncode, errors) == (0, b"")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
