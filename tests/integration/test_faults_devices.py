"""Devices that are dead, very many, or talk nonsense for days: what the others and the log feel of it."""

import asyncio
import itertools
import json
import statistics
import time
from collections import Counter, defaultdict
from contextlib import AsyncExitStack, closing
from functools import partial
from pathlib import Path

from collector.clock import Clock, SystemClock
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.delivery.encode import MAX_PAYLOAD_BYTES, ScanEncoder
from collector.polling.probe import DriverOf
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition, DeviceState
from fleet_client.reading import read_document
from protocols import registry
from protocols.errors import BadAnswer
from protocols.quality import Quality
from simulators.address import listen
from simulators.modbus import ModbusPlc, Table, Unit
from tests.benchmarks import many_tags
from tests.benchmarks.site import site
from tests.benchmarks.tags import TAGS
from tests.doubles.black_hole import black_hole
from tests.doubles.clock import LeapingLoop, LoopClock
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan, plan_of

INTERVAL_S = 0.2
TIMEOUT_S = 0.5
DAY_S = 24 * 3600
IDLE_MB = 80.0


class Rig:
    """A supervisor, what it delivered, and which devices changed their condition to what."""

    def __init__(self, clock: Clock, driver_of: DriverOf = registry.driver) -> None:
        self.board = Board(clock)
        self.scans: defaultdict[str, list[Scan]] = defaultdict(list)
        self.told: Counter[tuple[str, DeviceCondition]] = Counter()
        self.board.on_change.append(self._hear)
        self.supervisor = Supervisor(clock=clock, board=self.board, deliver=self._take, driver_of=driver_of)

    def qualities(self, device_id: str) -> set[Quality]:
        """All that its tags ever had."""
        return {quality for scan in self.scans[device_id] for quality in scan.bad.values()}

    def _take(self, scan: Scan) -> None:
        self.scans[scan.device.id].append(scan)

    def _hear(self, device: DeviceState) -> None:
        self.told[device.id, device.condition] += 1


def entry(device_id: str, connection: dict[str, object], names: list[str], interval_s: float) -> dict[str, object]:
    return {
        "id": device_id,
        "name": f"설비_{device_id}",
        "protocol": "modbus_tcp",
        "connection": connection,
        "interval_ms": round(interval_s * 1000),
        "timeout_ms": round(TIMEOUT_S * 1000),
        "tags": [
            {"name": name, "address": str(40001 + number), "data_type": "UINT16"} for number, name in enumerate(names)
        ],
    }


def planned(devices: list[dict[str, object]], driver_of: DriverOf = registry.driver) -> Plan:
    body = json.dumps({"version": "1", "edge_id": "edge-1", "devices": devices}, ensure_ascii=False).encode()
    plan = plan_document(read_document(body, expected_edge_ids=["edge-1"]), PlanOptions("edge-1", driver_of=driver_of))
    assert plan.problems == ()
    return plan


async def test_p1_dead_devices_leave_the_beat_of_the_others_alone_and_are_told_of_once() -> None:
    with closing(listen("127.0.0.1", 0)) as nobody:
        refusing_port = nobody.getsockname()[1]
    async with AsyncExitStack() as stack:
        layout = {1: Unit(memory={Table.HOLDING: (range(3),)})}
        alive = [await stack.enter_async_context(ModbusPlc(layout)) for _ in range(8)]
        ports = {
            **{str(number): plc.port for number, plc in enumerate(alive)},
            "refusing": refusing_port,
            "black hole": stack.enter_context(black_hole()),
        }
        rig = Rig(SystemClock())
        await stack.enter_async_context(rig.supervisor)
        where = {name: {"host": "127.0.0.1", "port": port} for name, port in ports.items()}
        rig.supervisor.apply(planned([entry(name, at, ["a", "b", "c"], INTERVAL_S) for name, at in where.items()]))
        async with asyncio.timeout(20):
            while min(len(rig.scans[name]) for name in ports) < 15:
                await asyncio.sleep(0.02)

        for plc in alive:
            periods = [later - sooner for sooner, later in itertools.pairwise(plc.record.arrivals())]
            assert abs(statistics.median(periods) / INTERVAL_S - 1) < 0.05
            assert max(periods) < TIMEOUT_S, "nobody waits for a dead device"
        assert rig.told == {(name, DeviceCondition.ONLINE): 1 for name in ports if name.isdigit()} | {
            (name, DeviceCondition.OFFLINE): 1 for name in ("refusing", "black hole")
        }
        assert rig.qualities("refusing") == rig.qualities("black hole") == {Quality.DISCONNECTED}
        assert "refused" in str(rig.board.devices["refusing"].error)
        assert "did not accept a connection within 0.5 s" in str(rig.board.devices["black hole"].error)


def test_p9_a_hundred_thousand_tags_start_in_time_and_large_messages_are_split() -> None:
    driver = ScriptedDriver()
    names = {str(device): [f"태그_{device}_{number}" for number in range(1000)] for device in range(99)}
    names["long"] = [f"{'긴이름_' * 18}{number}" for number in range(1000)]
    devices = [entry(name, {"host": f"plc-{name}"}, tags, 60.0) for name, tags in names.items()]

    async def first_polls(plan: Plan) -> Rig:
        rig = Rig(LoopClock(), lambda _: driver.erased)
        async with rig.supervisor:
            rig.supervisor.apply(plan)
            await asyncio.sleep(1.5)
        return rig

    began = time.monotonic()
    plan = planned(devices, lambda _: driver.erased)
    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        rig = runner.run(first_polls(plan))
    assert time.monotonic() - began < 30

    numbers = itertools.count(1)
    encoder = ScanEncoder(
        topic=lambda: "t", epoch="e", next_seq=partial(next, numbers), meta=True, send_empty=False
    )  # fmt: skip
    sizes = Counter[str]()
    for device_id, tags in names.items():
        (scan,) = rig.scans[device_id]
        payloads = [message.payload for _, message in encoder.messages(scan)]
        assert all(len(payload) <= MAX_PAYLOAD_BYTES for payload in payloads)
        merged = [pair for payload in payloads for pair in json.loads(payload)["tags"].items()]
        assert merged == [(name, 40001 + number) for number, name in enumerate(tags)]
        sizes[device_id] = len(payloads)
    assert sizes["long"] == 2
    assert sum(sizes.values()) == 101


def test_p9_a_tenth_of_them_in_a_real_process_start_soon_and_stay_small(tmp_path: Path) -> None:
    devices = many_tags.DEVICES // 10
    with site(tmp_path) as at:
        load = many_tags.watch(at, devices, seconds=0.5)
    assert load.start_s < 30
    assert load.rss_mb < IDLE_MB + (512 - IDLE_MB) / 10
    assert load.largest <= MAX_PAYLOAD_BYTES
    parts, names = load.tags_of(many_tags.LONG_NAMES)
    assert (parts, len(names)) == (2, TAGS)


def test_p10_a_day_of_garbage_is_told_of_a_few_times_and_leaves_nothing_behind() -> None:
    driver = ScriptedDriver()
    mad = driver.device("mad")
    mad.break_reads = BadAnswer("mad unit 1 answered with what is no frame")

    async def a_day() -> Rig:
        rig = Rig(LoopClock(), lambda _: driver.erased)
        async with rig.supervisor:
            rig.supervisor.apply(
                plan_of(
                    device_plan(driver, [1], device_id="1", host="mad"),
                    device_plan(driver, [1], device_id="2", host="sane", interval_ms=60_000),
                )
            )
            await asyncio.sleep(3600.2)
            tasks = len(asyncio.all_tasks())
            await asyncio.sleep(DAY_S - 3600)
            assert len(asyncio.all_tasks()) == tasks
            assert mad.sessions <= 1
        return rig

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        rig = runner.run(a_day())

    assert len(rig.scans["1"]) == DAY_S + 1
    assert rig.qualities("1") == {Quality.DEVICE_ERROR}
    assert sum(count for (device_id, _), count in rig.told.items() if device_id == "1") <= 100
    assert DAY_S / 40 < mad.connects < DAY_S / 20, "asked about every half minute, for as long as it lasts"
    assert len([scan for scan in rig.scans["2"] if not scan.bad]) == DAY_S / 60
