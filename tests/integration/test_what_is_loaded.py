"""A collector loads what its settings and its document ask for, and nothing else: told by the interpreter itself."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path

from tests.doubles.collector_process import CollectorProcess
from tests.doubles.hall import Hall, modbus_device
from tests.doubles.mosquitto import free_port

TOLD = re.compile(r"^import time:\s+\d+ \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
TERMINAL = {"click.core", "pygments", "rich.console", "simulators"}
"""By what is in them: of a library that was asked for and not loaded the interpreter tells too."""
PAGE = {"fastapi", "prometheus_client", "starlette", "uvicorn"}
SERVERS = {"anyio", "httpcore", "httpx"}
DRIVERS = {"asyncua", "cryptography", "serial", "snap7"}


def loaded(log: str) -> set[str]:
    """Every module that was loaded, and every package that one of them is in."""
    names = [name.split(".") for name in TOLD.findall(log)]
    return {".".join(parts[:depth]) for parts in names for depth in range(1, len(parts) + 1)}


def telling(process: CollectorProcess) -> CollectorProcess:
    process.command = (sys.executable, "-X", "importtime", *process.command[1:])
    return process


async def test_a_site_of_one_file_and_one_protocol_loads_no_other(tmp_path: Path) -> None:
    document = tmp_path / "config.json"
    tag = {"name": "load", "address": "cpu.percent"}
    device = {"id": "1", "protocol": "host", "interval_ms": 100, "tags": [tag]}
    document.write_text(json.dumps({"edge_id": "edge-1", "devices": [device]}), encoding="utf-8")
    variables = {
        "EDGE_ID": "edge-1",
        "EDGE_CONFIG_SOURCE": "file",
        "EDGE_CONFIG_FILE": document,
        "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{free_port()}",
        "HTTP_PORT": 0,
        "HISTORY_MAX_MB": 0,
    }
    with telling(CollectorProcess(tmp_path / "edge", variables)) as collector:
        async with asyncio.timeout(40):
            while "device is online" not in collector.log:
                await asyncio.sleep(0.05)
        names = loaded(collector.log)

    others = {f"protocols.{name}" for name in ("modbus", "opcua.driver", "s7", "xgt")}
    assert "protocols.host.session" in names
    assert names & (PAGE | SERVERS | DRIVERS | others) == set()
    assert names & {"collector.history.history", "yaml"} == set()


async def test_a_site_with_a_server_and_a_modbus_plc_loads_nothing_for_terminals(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc, "1"))
        # The second start: what makes the outbox's tables is needed once in the life of its file.
        hall.collector.start()
        await hall.until(lambda: hall.messages("data"), within_s=40)
        await hall.collector.stop()
        seen = len(hall.messages("data"))
        telling(hall.collector).start()
        await hall.until(lambda: len(hall.messages("data")) > seen, within_s=40)
        names = loaded(hall.collector.log)

    assert {"protocols.modbus.session", "httpx"} <= names
    assert names & (TERMINAL | PAGE | DRIVERS | {"sqlite_utils", "yaml"}) == set()


def test_help_loads_no_part_of_a_collector() -> None:
    command = [sys.executable, "-X", "importtime", "-m", "collector", "--help"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=50, check=True)

    names = loaded(ran.stderr)
    assert "collector.cli.commands" in names
    parts = {"asyncio", "collector.app", "fleet_client", "pydantic", "sqlite3", "structlog"}
    assert names & (PAGE | SERVERS | DRIVERS | parts) == set()
