"""The page beside a running collector: it is there, it is in nobody's way, and it says who may come in."""

import asyncio
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from collector.status.board import Board
from collector.web import serving
from simulators.modbus import ModbusPlc
from tests.doubles.browser import tab
from tests.doubles.documentation import ROOT
from tests.doubles.hall import Hall, counting_layout, modbus_device
from tests.doubles.mosquitto import free_port
from tests.doubles.page_rig import PageRig

FASTAPI = ("fastapi", "uvicorn", "prometheus_client")


async def until_served(url: str, within_s: float = 40.0) -> None:
    """Wait until there is an answer."""
    deadline = time.monotonic() + within_s
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            try:
                await http.get(f"{url}/liveness")
                return
            except httpx.TransportError:
                assert time.monotonic() < deadline, f"nobody listens at {url}"
                await asyncio.sleep(0.05)


async def test_values_of_a_real_plc_change_and_its_end_is_shown_within_five_seconds(tmp_path: Path) -> None:
    port = free_port()
    async with Hall(tmp_path, HTTP_PORT=port) as hall:
        plc = await ModbusPlc(counting_layout()).__aenter__()
        hall.configure(modbus_device(plc, interval_ms=200, timeout_ms=500))
        url = f"http://127.0.0.1:{port}"
        with hall.collector:
            await until_served(url)
            async with tab(f"{url}/#/device/1") as page:
                value = page.locator("tr", has_text="r0").locator(".value b")
                await expect(value).to_have_text(re.compile(r"[\d,]+"))
                first = await value.inner_text()
                await expect(value).not_to_have_text(first)
                await page.goto(f"{url}/#/")
                await expect(page.locator(".verdict")).to_contain_text("All is well")
                await plc.__aexit__(None, None, None)
                await expect(page.locator(".trouble")).to_contain_text("프레스_1: Offline", timeout=5_000)
                await expect(page.locator(".trouble .detail")).to_contain_text("127.0.0.1")
            async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
                events = (await http.get("/api/v1/events")).json()
                assert next(event["fields"]["state"] for event in events if event["type"] == "device") == "offline"
                lines = (await http.get("/api/v1/logs", params={"level": "warning"})).json()
                assert any("device is offline" in line["text"] for line in lines)
                assert 'edge_device_poll_failures_total{device="1"' in (await http.get("/metrics")).text
                status, took = await hall.collector.stop()
                assert (status, took < 5) == (0, True)


async def test_s14_it_listens_on_loopback_and_opens_by_the_link_of_page_url(tmp_path: Path) -> None:
    port = free_port()
    async with Hall(tmp_path, HTTP_PORT=port, HTTP_TOKEN="") as hall:
        hall.configure()
        with hall.collector:
            await until_served(f"http://127.0.0.1:{port}")
            listening = Path("/proc/net/tcp").read_text("ascii")
            assert f"0100007F:{port:04X}" in listening
            assert f"00000000:{port:04X}" not in listening
            link = await asyncio.to_thread(page_url, tmp_path)
            assert link.startswith(f"http://127.0.0.1:{port}/login#token=")
            token = link.partition("=")[2]
            assert (tmp_path / "data" / "http_token").read_text("ascii").strip() == token
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
                assert (await http.post("/api/v1/login", json={"token": token})).status_code == 204
                assert (await http.get("/api/v1/status")).json()["changes"] is True
            assert token not in hall.collector.log


def page_url(folder: Path) -> str:
    """What the command prints."""
    done = subprocess.run(
        [sys.executable, "-m", "collector", "page-url"],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=50, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_page_url_says_when_the_page_is_off(tmp_path: Path) -> None:
    needed = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "MQTT_BROKER_URL": "mqtt://127.0.0.1:1", "DEVICE_ID": "edge-1"}
    done = subprocess.run(
        [sys.executable, "-m", "collector", "page-url"],
        cwd=tmp_path, env={**os.environ, **needed, "PYTHONPATH": str(ROOT), "HTTP_PORT": "0"},
        capture_output=True, text=True, timeout=50, check=False,
    )  # fmt: skip
    assert (done.returncode, "HTTP_PORT=0" in done.stderr) == (2, True)


async def test_a_port_in_use_is_a_condition_and_the_page_comes_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "POLLING_FIRST_S", 0)
    monkeypatch.setattr(serving, "RETRY_S", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        async with PageRig(tmp_path, HTTP_PORT=str(port)) as rig:
            page = asyncio.create_task(serving.serve_page(rig.sources))
            await held(rig.board, serving.CONDITION)
            assert f"port {port} of 127.0.0.1 is in use" in rig.board.conditions[serving.CONDITION].detail
            without_page = rig.trace.points(100)[0]
            assert without_page
            other.close()
            await until_served(f"http://127.0.0.1:{port}")
            assert serving.CONDITION not in rig.board.conditions
            assert rig.trace.points(100)[0][: len(without_page)] == without_page, "the buffer's course is kept"
            page.cancel()
            async with asyncio.timeout(3):
                await asyncio.wait([page])
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)


async def test_a_fault_of_the_page_costs_nothing_but_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "POLLING_FIRST_S", 0)
    monkeypatch.setattr(serving, "_application", lambda *_: 1 / 0)
    async with PageRig(tmp_path, HTTP_PORT=str(free_port())) as rig:
        page = asyncio.create_task(serving.serve_page(rig.sources))
        await held(rig.board, serving.CONDITION)
        assert "ZeroDivisionError" in rig.board.conditions[serving.CONDITION].detail
        assert not page.done()
        page.cancel()
        await asyncio.wait([page])


async def held(board: Board, code: str) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(5):
        while code not in board.conditions:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("module", ["collector.cli", "collector.cli.run", "collector.app", "collector.cli.page_url"])
def test_nothing_of_fastapi_is_loaded_before_it_is_needed(module: str) -> None:
    program = f"import sys, {module}; print([name for name in {FASTAPI} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
