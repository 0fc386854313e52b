"""What a person at the gateway sees of an OPC-UA server: `read` and `browse` of a secured one, and the status."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from collector.cli.commands import app
from collector.cli.identity import state_folder
from collector.config.planner import PlanOptions, plan_document
from collector.polling.device import DevicePoller
from collector.status.board import Board
from fleet_client.reading import read_document
from protocols import registry
from tests.doubles.clock import FakeClock
from tests.doubles.opcua_device import OpcUaDevice
from tests.doubles.opcua_judge import PASSWORD, USER, Judge, make_certificate


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    with Judge(tmp_path_factory.mktemp("judge")) as judge:
        judge.start()
        judge.add("s=Press.Temperature", "Float", 25.4, name="Temperature")
        judge.add("s=Press.Broken", "Int16", [1, 2], status="BadSensorFailure")
        yield judge


def told(
    judge: Judge, folder: Path, command: str, *more: str, policy: str = "Basic256Sha256", piped: str = ""
) -> Result:
    where = ["--set", f"url=opc.tcp://127.0.0.1:{judge.port}/judge", "--set", f"security_policy={policy}"]
    arguments = [command, "--protocol", "opcua", *where, "--data-dir", str(folder), *more]
    return CliRunner().invoke(app, arguments, input=piped, env={"COLUMNS": "200"})


@pytest.mark.parametrize("policy", ["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"])
def test_a_secured_server_is_read_and_browsed(judge: Judge, tmp_path: Path, policy: str) -> None:
    log_in = ("--set", f"username={USER}")
    read = told(judge, tmp_path, "read", *log_in, "ns=2;s=Press.Temperature", policy=policy, piped=f"{PASSWORD}\n")
    assert read.exit_code == 0, read.output
    assert "ns=2;s=Press.Temperature  25.4  Float  Good  20" in read.output
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    browsed = told(judge, tmp_path, "browse", *log_in, "--password-file", str(secret), policy=policy)
    assert browsed.exit_code == 0, browsed.output
    assert "Temperature  ns=2;s=Press.Temperature  variable Float" in browsed.output
    assert (tmp_path / "opcua" / "own" / "certificate.der").exists()


def test_a_log_in_by_certificate(judge: Judge, tmp_path: Path) -> None:
    (tmp_path / "opcua" / "users").mkdir(parents=True)
    make_certificate(tmp_path / "opcua" / "users" / "line1", "urn:somebody")
    read = told(judge, tmp_path, "read", "--set", "user_certificate=line1", "i=2259")
    assert (read.exit_code, read.output.split()[:4]) == (0, ["i=2259", "0", "Int32", "Good"]), read.output


def test_a_bad_value_is_shown_with_the_servers_own_word(judge: Judge, tmp_path: Path) -> None:
    nodes = ("ns=2;s=Press.Broken", "ns=2;s=Nowhere", "nsu=urn:none;i=1", "ns=2;s=Press.Temperature")
    read = told(judge, tmp_path, "read", *nodes, policy="None")
    lines = read.output.splitlines()
    assert read.exit_code == 1
    assert lines[0].startswith("ns=2;s=Press.Broken  device_error  Int16[]  BadSensorFailure  20")
    assert lines[1] == "ns=2;s=Nowhere  bad_address  BadNodeIdUnknown"
    assert "no such namespace" in lines[2]
    assert "25.4" in lines[3]


def test_a_wrong_password_is_refused_in_one_line_that_does_not_show_it(judge: Judge, tmp_path: Path) -> None:
    read = told(judge, tmp_path, "read", "--set", f"username={USER}", "i=2259", piped="pw-canary-wrong\n")
    assert (read.exit_code, len(read.output.splitlines())) == (2, 1)
    assert "refused the log-in" in read.output
    assert "canary" not in read.output


def test_a_password_file_that_is_not_there_or_for_nobody_is_said(judge: Judge, tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")
    for more in (("--set", f"username={USER}"), ()):
        read = told(judge, tmp_path, "read", *more, "--password-file", gone, "i=2259")
        assert read.exit_code == 2
        assert "--password-file" in read.output


def test_the_folder_is_the_collectors_own_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", "/home/hong/state")
    assert state_folder(None) == Path("/home/hong/state/edge-collector")
    monkeypatch.delenv("XDG_STATE_HOME")
    assert state_folder(None) == Path.home() / ".local" / "state" / "edge-collector"
    (tmp_path / ".env").write_text("DEVICE_ID=e\n")
    assert state_folder(None) == Path("data")
    (tmp_path / ".env").write_text("DATA_DIR=/var/lib/edge\n")
    assert state_folder(None) == Path("/var/lib/edge")
    monkeypatch.setenv("DATA_DIR", "/srv/edge")
    assert state_folder(None) == Path("/srv/edge")
    assert state_folder(Path("here")) == Path("here")


@pytest.fixture
async def device() -> AsyncIterator[OpcUaDevice]:
    device = OpcUaDevice()
    await device.start()
    yield device
    await device.stop()


async def test_the_status_has_the_servers_word_for_a_bad_value(device: OpcUaDevice) -> None:
    tags = [{"name": f"t{i}", "address": f"ns=2;i={i}", "data_type": "UINT16"} for i in range(4)]
    connection = {"host": "127.0.0.1", "port": device.port}
    document = {"devices": [{"id": "1", "protocol": "opcua", "connection": connection, "tags": tags}]}
    plan = plan_document(read_document(orjson.dumps(document), expected_edge_ids=()), PlanOptions("edge-1")).devices[0]
    clock, driver = FakeClock(), registry.driver("opcua")
    board = Board(clock)
    poller = DevicePoller(driver, plan, clock.monotonic(), clock=clock, board=board, deliver=lambda _scan: None)
    session = await driver.connect(plan.connection)
    device.missing.add(2)
    await poller.poll(session, clock.monotonic())
    errors = [board.devices["1"].error]
    device.missing.clear()
    clock.advance(1)
    await poller.poll(session, clock.monotonic())
    errors.append(board.devices["1"].error)
    assert errors == ["no good value for t2 bad_address (BadNodeIdUnknown)", None]
    await asyncio.wait_for(session.close(), 5)
