"""Row S5: every secret is a canary, the real process goes through all that it does, and nothing it leaves has one."""

import asyncio
import json
import os
import re
import sys
import time
import zipfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from simulators.fleet import FleetServer
from simulators.modbus import ModbusPlc
from simulators.mqtt import MqttListener
from tests.doubles.canaries import CANARIES, files_with, found_in
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.hall import EDGE_ID, Hall, counting_layout, modbus_device
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.shipped_broker import password_file, shipped_broker

OF_A_FILE = {"EDGE_CONFIG_SOURCE": "file", "EDGE_CONFIG_FILE": "devices.json"}
SERVER_PASSWORD = "of-the-server"
COMMANDS: tuple[dict[str, object], ...] = (
    {"command": "ping"},
    {"command": "get_status"},
    {"command": "get_config"},
    {"command": "buffer_stats"},
    {"command": "set_log_level", "params": {"level": "DEBUG"}},
    {"command": "test_connection", "params": {"device_id": "secured"}},
    {"command": "read_tags", "params": {"device_id": "1", "tags": ["r0", "none"]}},
    {"command": "write_tag", "params": {"device_id": "1", "tag": "r0", "value": 1}},
    {"command": "no_such_command"},
    {"command": "reload_config"},
    {"command": "support_bundle", "params": {"frames": "1"}},
    {"command": "get_logs", "params": {"lines": 1000}},
)
PATHS = (
    "/", "/health", "/readiness", "/metrics", "/docs", "/openapi.json", "/api/v1/status", "/api/v1/config",
    "/api/v1/devices", "/api/v1/logs", "/api/v1/events", "/api/v1/buffer", "/api/v1/alarms", "/api/v1/nothing",
)  # fmt: skip


class Plant:
    """A broker that wants a password, a Fleet server, a PLC and a secured one that is away, and all that was heard."""

    def __init__(self, folder: Path, fleet: FleetServer, broker: Mosquitto, plc: ModbusPlc) -> None:
        self.folder, self.fleet, self.broker, self.plc = folder, fleet, broker, plc
        self.heard: list[tuple[str, bytes]] = []
        self.told: list[bytes] = []
        self.page = f"http://127.0.0.1:{free_port()}"
        self.password = folder / "mqtt_password"
        self.collector = CollectorProcess(folder, {}, module="tests.doubles.crashing_collector")
        self.collector.environment = {"ALIVE_FILE": str(folder / "alive"), "PYTHONFAULTHANDLER": "1"}

    def configure(self, **more: object) -> None:
        """The `.env`, all secrets of which are canaries, and the document, with one of a PLC."""
        host = self.fleet.url.removeprefix("http://")
        secrets = {name: self._secret(name) for name in ("page", "key")}
        variables = {
            "EDGE_SERVER_URL": f"http://u:{CANARIES['server']}@{host}",
            "EDGE_API_TOKEN": CANARIES["fleet"],
            "MQTT_BROKER_URL": f"mqtt://{EDGE_ID}:{CANARIES['url']}@127.0.0.1:{self.broker.port}",
            "MQTT_USERNAME": EDGE_ID,
            "MQTT_PASSWORD_FILE": self.password,
            "EDGE_ID": EDGE_ID,
            "HTTP_TOKEN_FILE": secrets["page"],
            "HTTP_PORT": self.page.rpartition(":")[2],
            "MQTT_KEY_FILE": secrets["key"],
            "MQTT_CERT_FILE": secrets["key"],
            "UPLINK_URL": f"http://u:{CANARIES['uplink']}@127.0.0.1:1",
            "PLC_SECRET": CANARIES["variable"],
            "LOG_LEVEL": "DEBUG",
            "LOG_DIR": "logs",
            "CONFIG_SYNC_INTERVAL_SEC": 0.5,
            "HEARTBEAT_INTERVAL_SEC": 0.5,
            **more,
        }
        self.collector.configure(variables)
        document = self._document("${PLC_SECRET}" if "EDGE_CONFIG_FILE" in more else CANARIES["plc"])
        (self.folder / "devices.json").write_text(json.dumps(document), encoding="utf-8")
        self.fleet.document = document
        self.fleet.edit(lambda document: None)

    def _document(self, password: str) -> dict[str, object]:
        endpoint = f"opc.tcp://127.0.0.1:{free_port()}"
        connection = {"endpoint": endpoint, "username": "u", "password": password}
        tags = [{"name": "a", "address": "ns=2;s=A", "data_type": "FLOAT64"}]
        secured = modbus_device(self.plc, "secured", protocol="opcua", connection=connection, tags=tags)
        login = {**modbus_device(self.plc, "3"), "connection": {"host": f"opc.tcp://u:{password}@plc"}}
        return {"edge_id": EDGE_ID, "devices": [modbus_device(self.plc), secured, login]}

    def hear(self, topic: str, payload: bytes, _at: int) -> None:
        """What came at the broker."""
        self.heard.append((topic, payload))

    def answers(self) -> dict[str, dict[str, object]]:
        """By the name of the command."""
        bodies = [json.loads(payload) for topic, payload in self.heard if topic.endswith("/responses")]
        return {body["command"]: body for body in bodies}

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for it, on a slow machine too."""
        deadline = time.monotonic() + 150
        while not condition():
            assert time.monotonic() < deadline, f"not in time: {what}\n{self.collector.log[-4000:]}"
            await asyncio.sleep(0.02)

    def _secret(self, name: str) -> Path:
        file = self.folder / f"secret-{name}"
        file.write_text(CANARIES[name] + "\n", encoding="utf-8")
        file.chmod(0o600)
        return file


@asynccontextmanager
async def plant(folder: Path) -> AsyncIterator[tuple[Plant, MqttListener]]:
    aside = folder.parent / f"{folder.name}-broker"
    aside.mkdir()
    users = {EDGE_ID: CANARIES["mqtt"], "server": SERVER_PASSWORD}
    with shipped_broker(aside, password_file(aside, users)) as broker:
        url = f"mqtt://server:{SERVER_PASSWORD}@127.0.0.1:{broker.port}"
        async with FleetServer() as fleet, ModbusPlc(counting_layout()) as plc:
            place = Plant(folder, fleet, broker, plc)
            async with MqttListener(url, place.hear, topics=("vexplor/#",)) as listener:
                await listener.ready()
                try:
                    yield place, listener
                finally:
                    place.collector.__exit__(None, None, None)


def spared(place: Plant) -> list[Path]:
    """Where secrets must be: their own files, and the document as it came."""
    return [
        place.folder / ".env", place.password, *place.folder.glob("secret-*"),
        place.folder / "devices.json", *(place.folder / "data" / "config").rglob("*.json"),
    ]  # fmt: skip


async def visit(place: Plant) -> None:
    """Ask the page for everything, with the token, without, and with a wrong one."""
    async with httpx.AsyncClient(base_url=place.page) as http:
        for headers in ({"Authorization": f"Bearer {CANARIES['page']}"}, {}, {"Authorization": "Bearer wrong"}):
            for path in PATHS:
                answer = await http.get(path, headers=headers)
                place.told.append(f"{answer.headers}".encode() + answer.content)
        login = await http.post("/api/v1/login", json={"token": CANARIES["page"]})
        place.told.append(f"{login.headers}".encode() + login.content)
        place.told.append((await http.put("/api/v1/thresholds", content=b"{")).content)


async def tool(place: Plant, *arguments: str) -> bytes:
    """Another command of the program, in the same folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "collector", *arguments, cwd=place.folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return said


def process_tells(pid: int) -> bytes:
    """What everybody on the machine can see of a process."""
    return b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "comm", "status"))


@pytest.mark.timeout(400)  # four processes, one after another
@pytest.mark.parametrize(("form", "source"), [("text", {}), ("json", OF_A_FILE)])
async def test_s5_nothing_that_the_collector_leaves_has_a_secret(
    tmp_path: Path, form: str, source: dict[str, str]
) -> None:
    folder = tmp_path / "edge"
    async with plant(folder) as (place, listener):
        place.password.write_text(CANARIES["old mqtt"], encoding="utf-8")
        place.configure(LOG_FORMAT=form, **source)
        place.collector.start()
        await place.until(lambda: "no connection to the broker" in place.collector.log, "a broker that refuses")
        place.password.write_text(CANARIES["mqtt"] + "\n", encoding="utf-8")  # renewed: read again when it connects
        await place.until(lambda: any(topic.endswith("/data") for topic, _ in place.heard), "data")
        for number, command in enumerate(COMMANDS):
            topic = f"vexplor/devices/{EDGE_ID}/commands"
            listener.publish(topic, json.dumps({"command_id": f"c-{number}", **command}).encode())
        listener.publish(topic, f"no JSON {CANARIES['variable']}".encode())
        await place.until(lambda: len(place.answers()) >= len(COMMANDS), "answers")
        assert place.answers()["support_bundle"]["status"] == "success", place.answers()["support_bundle"]
        if not source:
            place.fleet.faults.status = 401
            await place.until(lambda: "does not accept the token" in place.collector.log, "a server that refuses")
        await place.until(lambda: place.page in place.collector.log, "the page")
        await visit(place)
        place.told.append(process_tells(place.collector.pid))
        limits = Path(f"/proc/{place.collector.pid}/limits").read_text()
        assert re.search(r"^Max core file size +0 ", limits, re.MULTILINE), limits
        place.told.append(await tool(place, "support-bundle", "--output", "bundle.zip", "--frames", "1"))
        (folder / "crash").touch()
        await place.until(lambda: "ended by a fault of its own" in place.collector.log, "the crash")
        assert await place.collector.wait() == 1
    assert "a bug that knows" in place.collector.log
    assert oct((folder / "bundle.zip").stat().st_mode)[-3:] == "600"
    with zipfile.ZipFile(folder / "bundle.zip") as bundle:
        names = set(bundle.namelist())
        place.told += [bundle.read(name) for name in names]
    assert {"about.json", "settings.txt", "document.json", "doctor.txt", "running/status.json", "logs/edge.log",
            "frames/프레스_1.txt"} <= names  # fmt: skip
    assert [payload[:3000] for _, payload in place.heard if found_in(payload)] == []
    assert [text[:500] for text in place.told if found_in(text)] == []
    assert files_with(folder, spared(place)) == {}
    assert len(place.told) > 3 * len(PATHS)


async def test_s5_a_secret_that_the_broker_hears_in_any_test_fails_it(tmp_path: Path) -> None:
    leaking = json.dumps({"type": "config", "errors": [f"mqtt://u:{CANARIES['url']}@broker"]}).encode()

    async def any_test() -> None:
        async with Hall(tmp_path) as hall:
            hall.listener.publish(f"vexplor/devices/{EDGE_ID}/events", leaking)
            await hall.until(lambda: hall.heard, 50, "what was published")

    with pytest.raises(AssertionError, match=f"the broker was told.*{CANARIES['url']}"):
        await any_test()
