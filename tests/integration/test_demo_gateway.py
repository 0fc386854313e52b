"""The demo's collector as a process: killed from anywhere it comes back, and nobody's child it is not."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import orjson
import psutil
import pytest

from collector.cli.demo.gateway import Gateway, GatewayTrouble
from collector.cli.demo.report import MARK, Report
from collector.cli.demo.ring import Ring
from simulators.fleet import FleetServer

WITHIN_S = 45.0
EDGE = "edge-demo-001"


@pytest.fixture
async def environ(tmp_path: Path) -> AsyncIterator[Mapping[str, str]]:
    """A Fleet server with a list of one device, the machine itself; no broker."""
    device = {
        "id": "6", "name": "게이트웨이", "protocol": "host", "interval_ms": 200,
        "tags": [{"name": "가동시간", "address": "uptime"}],
    }  # fmt: skip
    async with FleetServer(document={"version": "1", "edge_id": EDGE, "devices": [device]}) as fleet:
        yield {
            "EDGE_SERVER_URL": fleet.url,
            "MQTT_BROKER_URL": "mqtt://127.0.0.1:1",
            "DEVICE_ID": EDGE,
            "DATA_DIR": str(tmp_path / "data"),
            "HTTP_PORT": "0",
        }


def own_children() -> list[psutil.Process]:
    return [each for each in psutil.Process().children() if "collector.cli.demo.gateway_process" in each.cmdline()]


async def test_one_that_is_killed_by_anybody_is_started_again_and_its_books_go_on(
    tmp_path: Path, environ: Mapping[str, str]
) -> None:
    async with Gateway(tmp_path, environ, Ring()) as gateway:
        assert await gateway.until(lambda: gateway.board.buffer.messages >= 10, WITHIN_S)
        (process,) = own_children()
        os.kill(process.pid, signal.SIGKILL)
        assert await gateway.until(lambda: len(gateway.lives.past) == 1 and gateway.alive, WITHIN_S)
        kept = len(gateway.lives.past[0].waited)
        assert gateway.lives.found == kept > 0  # the youngest may not have been on disk yet
        assert await gateway.until(lambda: gateway.board.buffer.messages > kept, WITHIN_S)
        total = gateway.lives.total(gateway.board.buffer, {})
        assert total.recorded == total.messages == gateway.board.buffer.messages
        assert (total.acknowledged, total.dropped) == (0, 0)
    assert own_children() == []


async def test_what_is_done_meanwhile_is_done_while_it_is_down(tmp_path: Path, environ: Mapping[str, str]) -> None:
    seen: list[list[psutil.Process]] = []
    async with Gateway(tmp_path, environ, Ring()) as gateway:
        assert await gateway.kill(lambda: seen.append(own_children()))
        assert gateway.alive
        assert gateway.outbox.is_dir()
    assert seen == [[]]
    assert not await gateway.kill()


async def test_one_that_can_not_start_says_why(tmp_path: Path, environ: Mapping[str, str]) -> None:
    with pytest.raises(GatewayTrouble, match="EDGE_SERVER_URL"):
        async with Gateway(tmp_path, {**environ, "EDGE_SERVER_URL": "nowhere"}, Ring()):
            pass
    assert own_children() == []


async def test_it_ends_when_the_demo_has_gone(tmp_path: Path, environ: Mapping[str, str]) -> None:
    env_file = tmp_path / ".env"
    env_file.touch()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "collector.cli.demo.gateway_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(orjson.dumps({"env_file": str(env_file), "environ": environ}) + b"\n")
        async with asyncio.timeout(WITHIN_S):
            while not (line := await process.stdout.readline()).startswith(MARK):
                assert line, "it ended before it reported"
            assert Report.read(line).epoch
            process.stdin.close()
            reading = asyncio.create_task(process.stdout.read())
            assert await process.wait() == 0
            await reading
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
