"""A factory hall for one test: a real broker, a Fleet server, PLCs, and the real collector as a process."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import orjson

from simulators.fleet import FleetServer
from simulators.ledger import Account, Ledger
from simulators.modbus import Layout, ModbusPlc, Table, Unit, row_of
from simulators.mqtt import MqttListener
from simulators.signals import Unique
from tests.doubles.canaries import found_in
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.mosquitto import Mosquitto
from tests.doubles.proxy import TcpProxy

EDGE_ID = "edge-test-001"
READ_FUNCTIONS = frozenset({1, 2, 3, 4})


class Hall:
    """``async with Hall(tmp_path) as hall``: everything runs but the collector, which the test starts.

    The collector reaches the broker through `proxy`, so that an outage ends for the subscriber before it ends
    for the collector: what is replayed can not be missed. Where writes are not enabled, no PLC may have been asked
    anything but to be read.
    """

    def __init__(self, folder: Path, **variables: object) -> None:
        self.broker = Mosquitto()
        self.ledger = Ledger()
        self.heard: list[tuple[str, dict[str, object], float]] = []
        self._folder = folder
        self._variables = variables
        self._stack = AsyncExitStack()
        self._plcs: list[ModbusPlc] = []
        self._told_secrets: set[str] = set()

    async def __aenter__(self) -> Self:
        await self._stack.__aenter__()
        self._stack.enter_context(self.broker)
        self.proxy = await self._stack.enter_async_context(TcpProxy(self.broker.port))
        self.fleet = await self._stack.enter_async_context(FleetServer(broker_url=self.broker.url))
        self.listener = await self._stack.enter_async_context(
            MqttListener(self.broker.url, self._hear, topics=("vexplor/#",))
        )
        await self.listener.ready()
        self.variables = {
            "EDGE_SERVER_URL": self.fleet.url,
            "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{self.proxy.port}",
            "DEVICE_ID": EDGE_ID,
            "COMPANY_CODE": "SPIFOX",
            **self._variables,
        }
        self.collector = CollectorProcess(self._folder, self.variables)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.collector.__exit__(kind, error, trace)
        finally:
            await self._stack.__aexit__(kind, error, trace)
        assert not self._told_secrets, f"the broker was told {self._told_secrets}"
        if "WRITES_ENABLED" not in self._variables:
            asked = {code for plc in self._plcs for code in plc.record.by_function}
            assert asked <= READ_FUNCTIONS, f"writes are off, and a PLC was asked {asked}"

    async def plc(self, layout: Layout | None = None) -> ModbusPlc:
        """One more PLC; by default unit 1 with ten holding registers, every reading of which is unique."""
        plc = await self._stack.enter_async_context(ModbusPlc(layout or counting_layout()))
        self._plcs.append(plc)
        return plc

    def configure(self, *devices: Mapping[str, object], **fields: object) -> None:
        """What the Fleet server serves from now on."""
        self.fleet.document = {"edge_id": EDGE_ID, "edge_name": "시험 엣지", "devices": list(devices), **fields}
        self.fleet.edit(lambda document: None)

    async def outage_ends(self) -> None:
        """The broker is there again; the collector may come back once the subscriber has."""
        self.broker.start()
        await self.listener.ready()
        await self.proxy.open()

    def messages(self, kind: str) -> list[dict[str, object]]:
        """What came on `vexplor/devices/EDGE_ID/<kind>`, in order."""
        return [body for topic, body, _ in self.heard if topic == f"vexplor/devices/{EDGE_ID}/{kind}"]

    def values(self, tag: str) -> list[object]:
        """The values of one tag, in order."""
        tags = [cast(dict[str, object], body["tags"]) for body in self.messages("data")]
        return [named[tag] for named in tags if tag in named]

    def account(self) -> Account:
        """The books of the newest start."""
        return self.ledger.account(EDGE_ID)

    async def until(self, condition: Callable[[], object], within_s: float = 10.0, what: str = "") -> None:
        """Wait for a condition, looking every few milliseconds; fail with the collector's log."""
        deadline = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {within_s:g} s: {what}\n{self.collector.log[-4000:]}")
            await asyncio.sleep(0.02)

    def _hear(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        if topic.endswith("/commands"):
            return  # what the test itself sends, which may be anything
        self._told_secrets.update(found_in(payload))
        self.heard.append((topic, orjson.loads(payload), time.time()))
        self.ledger.feed(topic, payload, received_at_ms)


def counting_layout(unit_id: int = 1) -> Layout:
    """Ten holding registers 40001 to 40010 that count up with every read."""
    signals = [Unique(base, 16) for base in range(10)]
    return {unit_id: Unit(cells=row_of(Table.HOLDING, 0, signals))}


def modbus_device(
    plc: ModbusPlc, device_id: str = "1", *, interval_ms: int = 100, **fields: object
) -> dict[str, object]:
    """The config document's entry for a `counting_layout` PLC, read at an interval."""
    return {
        "id": device_id,
        "name": f"프레스_{device_id}",
        "protocol": "modbus_tcp",
        "connection": {"host": plc.host, "port": plc.port, "unit_id": 1},
        "interval_ms": interval_ms,
        "tags": [{"name": f"r{n}", "address": 40001 + n, "data_type": "UINT16"} for n in range(10)],
        **fields,
    }
