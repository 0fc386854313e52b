"""The page over a board that the test writes, without PLCs, broker or Fleet server."""

import asyncio
import hashlib
import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import orjson

from collector.clock import Clock, SystemClock
from collector.config.in_force import InForce
from collector.config.planner import PlanOptions, plan_document
from collector.polling.scan import Scan
from collector.settings import load_settings
from collector.status.board import Board, DeviceCondition
from collector.status.latest import Latest
from collector.status.machine import MachineFigures
from collector.status.recent import BufferTrace, RecentEvents, RecentLines
from collector.web.application import application
from collector.web.server import quiet_server
from collector.web.sources import Sources
from collector.web.token import Token
from fleet_client.reading import read_document
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.canaries import CANARIES
from tests.doubles.page_sources import CurveHistory, HandAlarms

EDGE_ID = "edge-page-001"
TOKEN = CANARIES["page"]


def plant(*, tags: int = 6) -> dict[str, object]:
    """A document of three devices with names that hurt whoever does not escape them."""
    press = [
        {"name": "온도", "address": "40001", "data_type": "UINT16", "unit": "°C", "description": "Oil of the press",
         "thresholds": {"low": 25, "high": 70, "high_high": 78}},
        {"name": "<script>alert(1)</script>", "address": "40002", "data_type": "UINT16", "unit": "<b>bar</b>"},
        {"name": "=cmd()", "address": "40003", "data_type": "UINT16"},
        *({"name": f"tag {n:04}", "address": str(40004 + n), "data_type": "UINT16", "unit": "kN"} for n in range(tags)),
    ]  # fmt: skip
    return {
        "version": "2026-04-17T07:25:26.766Z",
        "edge_id": EDGE_ID,
        "edge_name": "시험 엣지",
        "devices": [
            {"id": "1", "name": "CASE프레스_PLC_01", "protocol": "modbus_tcp", "connection": {"host": "192.168.1.10"},
             "location": {"factory": "울산", "building": "A동", "floor": "1", "zone": "press"}, "tags": press},
            {"id": "2", "name": "충전라인_S7_02", "protocol": "s7", "connection": {"host": "192.168.1.20"},
             "location": {"factory": "울산", "building": "B동"},
             "tags": [{"name": "level", "address": "DB1.DBW0", "data_type": "UINT16", "unit": "mm"}]},
            {"id": "3", "name": "<img src=x onerror=alert(1)>", "protocol": "opcua",
             "connection": {"endpoint": "opc.tcp://192.168.1.30:4840", "username": "me", "password": CANARIES["plc"]},
             "tags": [{"name": "speed", "address": "ns=2;s=Speed"}]},
            {"id": "4", "name": "broken", "protocol": "modbus_tcp", "connection": {"host": "169.254.0.1"},
             "tags": [{"name": "x", "address": "40001", "data_type": "UINT16"}]},
        ],
    }  # fmt: skip


class PageRig:
    """``async with PageRig(folder) as page``: the page is at `page.url`, its board is `page.board`."""

    def __init__(
        self,
        folder: Path,
        document: Mapping[str, object] | None = None,
        *,
        clock: Clock | None = None,
        history: bool = True,
        alarms: bool = True,
        **variables: str,
    ) -> None:
        self.clock = clock or SystemClock()
        self.board = Board(self.clock)
        self.latest = Latest(self.board.devices, self.clock)
        self.events, self.lines = RecentEvents(self.clock), RecentLines()
        self.trace = BufferTrace(self.board.buffer, self.clock)
        self.history = CurveHistory() if history else None
        self.alarms = HandAlarms() if alarms else None
        needed = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "MQTT_BROKER_URL": "mqtt://127.0.0.1:1"}
        paths = {"DEVICE_ID": EDGE_ID, "DATA_DIR": str(folder), "HTTP_TOKEN": TOKEN}
        (folder / ".env").touch(0o600)
        self.settings = load_settings(folder / ".env", needed | paths | variables)
        self.in_force: InForce | None = None
        self.configure(plant() if document is None else document)
        self.token = Token(TOKEN, folder)

    def configure(self, document: Mapping[str, object]) -> None:
        """Put a document in force."""
        body = orjson.dumps(document)
        plan = plan_document(read_document(body, expected_edge_ids=None), PlanOptions(EDGE_ID))
        self.in_force = InForce(body, hashlib.sha256(body).hexdigest(), None, EDGE_ID, "", plan)
        state = self.board.config
        state.version, state.edge_name, state.source = plan.version, plan.edge_name, "fleet"
        state.applied_ms, state.problems = self.clock.wall_ms(), plan.problems
        self.board.devices.clear()
        for device in plan.devices:
            self.board.expect(device.id, device.name)
        for idle in plan.idle:
            condition = DeviceCondition.REFUSED if idle.reason else DeviceCondition.DISABLED
            self.board.device(idle.id, idle.name, condition, idle.reason)

    def feed(self, device_id: str, bad: Mapping[str, Quality] | None = None, **values: Value) -> None:
        """A poll cycle of a device: every tag that is not named has the value 1."""
        assert self.in_force is not None
        plan = next(device for device in self.in_force.plan.devices if device.id == device_id)
        bad = bad or {}
        row = [None if name in bad else values.get(name, 1) for name in plan.names]
        positions = {position: bad[name] for position, name in enumerate(plan.names) if name in bad}
        self.latest.look(Scan(plan, self.clock.wall_ms(), plan.names, row, positions))
        self.board.device(device_id, plan.name, DeviceCondition.ONLINE)
        state = self.board.devices[device_id]
        state.polls += 1
        state.last_good_ms = self.clock.wall_ms()
        state.took.note(0.02)

    def down(self, device_id: str, error: str) -> None:
        """A device is away."""
        state = self.board.devices[device_id]
        state.failures += 1
        state.failed["timeout"] = state.failed.get("timeout", 0) + 1
        self.board.device(device_id, state.name, DeviceCondition.OFFLINE, error)

    async def __aenter__(self) -> Self:
        self._closing = asyncio.Event()
        self.sources = Sources(
            settings=self.settings,
            clock=self.clock,
            board=self.board,
            latest=self.latest,
            in_force=lambda: self.in_force,
            figures=lambda: MachineFigures(12.5, 40.0, 15.4, 51.0, "192.168.1.2"),
            heartbeats=lambda: 3,
            events=self.events,
            lines=self.lines,
            buffer_trace=self.trace,
            history=self.history,
            alarms=self.alarms,
        )
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._server = quiet_server(application(self.sources, self.token, self._closing))
        self._serving = asyncio.create_task(self._server.serve(sockets=[listener]))
        self.http = httpx.AsyncClient(base_url=self.url, trust_env=False)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()
        await self.close()

    async def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        self._server.leave()
        await self._serving
