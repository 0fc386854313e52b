"""`check` at a desk: files in JSON and YAML, and the documents of many edges at a real server."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulators.fleet import FleetServer

ROOT = Path(__file__).parents[2]
TAG = {"name": "온도", "address": "40001", "data_type": "UINT16"}


def device(device_id: str, **fields: object) -> dict[str, object]:
    return {"id": device_id, "protocol": "modbus_tcp", "connection": {"host": "10.0.0.1"}, "tags": [TAG], **fields}


async def check(*arguments: object, **variables: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "collector", "check", *map(str, arguments),
        cwd=ROOT, env={**os.environ, **variables}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


@pytest.fixture
async def fleet() -> AsyncIterator[FleetServer]:
    async with FleetServer() as fleet:
        fleet.documents.put({"edge_id": "edge-1", "version": "v1", "devices": [device("1"), device("2")]})
        fleet.documents.put({"edge_id": "edge-2", "devices": [device("1"), device("2", interval_ms=0)]})
        yield fleet


async def test_many_edges_are_a_line_each(fleet: FleetServer) -> None:
    arguments = ("--server", fleet.url, "--edge", "edge-1", "edge-2", "edge-3,edge-1")
    status, said = await check(*arguments, EDGE_API_TOKEN="canary-token")
    assert status == 1
    good, refused, none, total = said.splitlines()
    assert good == "good     edge-1: edge-1 version v1: 2 devices, 2 tags"
    assert refused == "refused  edge-2: edge-2: 1 device, 1 tag, 1 refused part"
    assert none.startswith("none     edge-3: ")
    assert "knows no edge edge-3" in none
    assert total == "3 edges: 1 good, 1 with refused parts, 1 without a configuration"
    assert {request.headers["authorization"] for request in fleet.record.seen} == {"Bearer canary-token"}


async def test_details_name_the_paths(fleet: FleetServer, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("from-a-file\n")
    status, said = await check("--server", fleet.url, "--edge", "edge-2", "--details", "--token-file", token)
    assert status == 1
    assert "devices[1].interval_ms" in said
    assert fleet.record.seen[-1].headers["authorization"] == "Bearer from-a-file"


async def test_all_good_is_0_and_nothing_at_all_is_2(fleet: FleetServer) -> None:
    assert (await check("--server", fleet.url, "--edge", "edge-1"))[0] == 0
    fleet.faults.down = True
    assert (await check("--server", fleet.url, "--edge", "edge-1"))[0] == 2
    assert (await check("--server", fleet.url, "--edge", "a/#"))[0] == 2
    assert (await check("--server", "pipeline", "--edge", "edge-1"))[0] == 2
    assert (await check())[0] == 2


async def test_a_yaml_file_is_checked_with_its_variables(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "devices:\n- {id: 1, protocol: modbus_tcp, connection: {host: ${PLC}},\n"
        "   tags: [{name: a, address: 40001, data_type: UINT16}]}\n"
    )
    assert (await check(file))[0] == 2
    env_file = tmp_path / ".env"
    env_file.write_text("PLC=10.0.0.7\n")
    env_file.chmod(0o600)
    status, said = await check(file, "--env-file", env_file)
    assert (status, "10.0.0.7:502" in said) == (0, True)
