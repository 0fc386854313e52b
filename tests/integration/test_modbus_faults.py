"""Modbus under faults: the real driver and lanes, against the simulated PLC on TCP and on serial lines."""

import asyncio
import json
import os
import random
import struct
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from itertools import pairwise

import orjson
import pytest

from collector.clock import SystemClock
from collector.config.planner import PlanOptions, plan_document
from collector.polling.group import GroupReader
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board
from fleet_client.reading import read_document
from protocols import registry
from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import NoAnswer, SessionError
from protocols.quality import Quality
from simulators.modbus import Kind, ModbusPlc, RtuFraming, Table, Unit, row_of
from simulators.signals import Constant, Unique
from tests.doubles.modbus_device import ModbusDevice

Device = dict[str, object]


def device(device_id: str, protocol: str, connection: Device, tags: list[Device], **fields: object) -> Device:
    named = {"id": device_id, "name": device_id, "protocol": protocol, "connection": connection, "tags": tags}
    return {"interval_ms": 50, "timeout_ms": 300, **named, **fields}


def registers(count: int, data_type: str = "UINT16", step: int = 1) -> list[Device]:
    return [{"name": f"r{n}", "address": f"HR{n * step}", "data_type": data_type} for n in range(count)]


class Hall:
    """A supervisor with the real drivers, and what it delivered, by device id and when."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.board = Board(clock)
        self.scans: defaultdict[str, list[tuple[float, Scan]]] = defaultdict(list)
        self.supervisor = Supervisor(clock=clock, board=self.board, deliver=self._take, driver_of=registry.driver)

    def poll(self, *devices: Device) -> None:
        body = json.dumps({"version": "1", "edge_id": "edge-1", "devices": devices}).encode()
        plan = plan_document(read_document(body, expected_edge_ids=["edge-1"]), PlanOptions(edge_id="edge-1"))
        assert plan.problems == ()
        self.supervisor.apply(plan)

    def good(self, device_id: str) -> list[tuple[float, Scan]]:
        return [(at, scan) for at, scan in self.scans[device_id] if not scan.bad]

    async def until(self, condition: Callable[[], object], within_s: float = 10) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await asyncio.sleep(0.01)

    def _take(self, scan: Scan) -> None:
        self.scans[scan.device.id].append((time.monotonic(), scan))


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    async with hall.supervisor:
        yield hall


def unit_of(base: int, count: int = 3) -> Unit:
    return Unit(row_of(Table.HOLDING, 0, [Constant(base + n) for n in range(count)]))


@pytest.mark.parametrize("protocol", ["modbus_rtu", "modbus_rtu_tcp"])
async def test_p1_a_dead_unit_costs_the_others_of_its_line_one_timeout_and_is_then_asked_rarely(
    hall: Hall, protocol: str
) -> None:
    serial = protocol == "modbus_rtu"
    layout = {unit: unit_of(1000 * unit) for unit in (1, 2, 3)}
    async with ModbusPlc(layout, framing=RtuFraming(), serial=serial) as plc:
        wire: Device = {"serial_port": plc.serial_port, "baudrate": 115_200}
        if not serial:
            wire = {"host": plc.host, "port": plc.port}
        hall.poll(*(device(str(unit), protocol, {**wire, "unit_id": unit}, registers(3)) for unit in (1, 2, 3, 9)))
        await hall.until(lambda: all(len(hall.good(str(unit))) >= 20 for unit in (1, 2, 3)))
        first, last = plc.record.arrivals()[0], plc.record.arrivals()[-1]
    for unit in (1, 2, 3):
        times = [at for at, _ in hall.good(str(unit))]
        gaps = sorted(later - earlier for earlier, later in pairwise(times))
        assert gaps[-1] < 0.3 + 0.15, "one timeout, once"
        assert gaps[-2] < 0.2
        assert hall.good(str(unit))[0][1].values == [1000 * unit, 1000 * unit + 1, 1000 * unit + 2]
    assert hall.good("9") == []
    assert last - first > 0.9
    assert {quality for _, scan in hall.scans["9"] for quality in scan.bad.values()} == {Quality.TIMEOUT}
    assert "unit 9 did not answer" in str(hall.board.devices["9"].error)


@pytest.mark.parametrize("protocol", ["modbus_tcp", "modbus_rtu_tcp"])
async def test_p2_a_slow_device_is_read_slowly_and_one_too_slow_is_missed(hall: Hall, protocol: str) -> None:
    framing = RtuFraming() if protocol == "modbus_rtu_tcp" else None
    async with ModbusPlc({1: unit_of(100)}, framing=framing) as slow, ModbusPlc({1: unit_of(200)}) as other:
        slow.faults.slow_s = 0.9 * 0.3
        hall.poll(
            device("slow", protocol, {"host": slow.host, "port": slow.port}, registers(3)),
            device("other", "modbus_tcp", {"host": other.host, "port": other.port}, registers(3)),
        )
        await hall.until(lambda: len(hall.good("slow")) >= 3)
        assert hall.board.devices["slow"].missed >= 4, "ticks that passed are counted"
        assert len(hall.scans["slow"]) < 10, "and not made up for"
        slow.faults.slow_s = 1.5 * 0.3
        began = time.monotonic()
        seen = len(hall.good("slow"))
        await hall.until(lambda: any(at > began and scan.empty for at, scan in hall.scans["slow"]))
        await asyncio.sleep(1.0)
        assert len(hall.good("slow")) <= seen + 1
        assert all(scan.values == [100, 101, 102] for _, scan in hall.good("slow"))
        times = [at for at, _ in hall.good("other")]
        assert max(later - earlier for earlier, later in pairwise(times)) < 0.29  # 0.3 is the slow one's timeout
        slow.faults.clear()
        await hall.until(lambda: len(hall.good("slow")) > seen + 3)


UNITS = 4
POLLS = int(os.environ.get("MIXUP_POLLS", "500"))


@pytest.mark.timeout(3600)
async def test_p3_among_answers_late_swapped_and_lost_none_is_given_to_another_question() -> None:
    """Each value tells which read it answers and which register of which unit it is of."""
    stride = 16 * UNITS
    layout = {
        unit: Unit(row_of(Table.HOLDING, 0, [Unique(16 * unit + n, stride) for n in range(8)], Kind.UINT32))
        for unit in range(UNITS)
    }
    modbus = registry.driver("modbus_tcp")
    rng, outcomes = random.Random(3), Counter[str]()
    async with ModbusPlc(layout) as plc:
        fields = {"host": plc.host, "port": plc.port}
        connections = [modbus.connection({**fields, "unit_id": unit}, 0.04) for unit in range(UNITS)]
        patient = modbus.connection(fields, 10)
        session, owed = await modbus.connect(patient), False
        for _ in range(POLLS):
            plc.faults.clear()
            fault = rng.choice(["", "", "", "late", "wrong_transaction", "wrong_unit", "slow_s"])
            if fault == "wrong_transaction" and owed:
                fault = ""  # a late answer with the very id of the next question: nobody could tell
            if fault:
                setattr(plc.faults, fault, 0.06 if fault == "slow_s" else True)
            unit, first = rng.randrange(UNITS), rng.randrange(7)
            tags = [TagSpec("t", f"HR{2 * n}", DataType.UINT32) for n in (first, first + 1)]
            points = [modbus.point(tag, connections[unit]) for tag in tags]
            (request,) = modbus.compile(connections[unit], points)
            cycle = Cycle([None, None])
            try:
                await session.read(request, cycle)
            except SessionError as error:
                outcomes[type(error).__name__] += 1
                assert cycle.values == [None, None]
                owed = isinstance(error, NoAnswer) and rng.random() < 0.5
                if not owed:
                    await session.close()
                    session = await modbus.connect(patient)
                continue
            reads = plc.record.reads[-1].read
            assert cycle.values == [stride * reads + 16 * unit + first, stride * reads + 16 * unit + first + 1]
            outcomes["value"] += 1
            owed = False
        await session.close()
    assert outcomes["value"] > POLLS / 4
    assert min(outcomes["BadAnswer"], outcomes["NoAnswer"]) > POLLS / 50


async def test_p5_an_exception_at_any_address_of_a_block_costs_that_tag_alone() -> None:
    modbus, plc = registry.driver("modbus_tcp"), ModbusDevice()
    plc.words[3].update({n: 7000 + n for n in range(125)})
    await plc.start()
    fields: Device = {"host": "127.0.0.1", "port": plc.port}
    body = json.dumps({"edge_id": "e", "devices": [device("1", "modbus_tcp", fields, registers(125))]}).encode()
    (planned,) = plan_document(read_document(body, expected_edge_ids=["e"]), PlanOptions(edge_id="e")).devices
    session = await modbus.connect(planned.connection)
    for missing in range(125):
        plc.missing = {missing}
        plc.questions.clear()
        group = GroupReader(modbus, planned, planned.groups[0])
        first, second = Cycle([None] * 125), Cycle([None] * 125)
        await group.read(session, first, 0.0)
        assert len(plc.questions) <= 1 + 2 * 7
        plc.questions.clear()
        await group.read(session, second, 1.0)
        assert len(plc.questions) <= 2, "it is left out from then on"
        for cycle in (first, second):
            assert cycle.bad == {missing: Quality.BAD_ADDRESS}
            assert cycle.values == [None if n == missing else 7000 + n for n in range(125)]
    plc.missing = set()
    await group.read(session, second, 301.0)
    assert second.values[124] == 7124, "and asked for again after five minutes"
    await session.close()
    await plc.stop()


async def test_p6_what_json_can_not_say_is_a_quality_and_all_else_is_said_exactly() -> None:
    modbus, plc = registry.driver("modbus_tcp"), ModbusDevice()
    await plc.start()
    connection = modbus.connection({"host": "127.0.0.1", "port": plc.port}, 1)
    numbers = [float("nan"), float("inf"), float("-inf"), -0.0, 5e-324, 1.7976931348623157e308]
    raw = struct.pack(">6d", *numbers) + struct.pack(">qQ", 2**53 + 1, 2**64 - 1) + b"\xff\xfe\xc3(" + b"abc\xc3"
    plc.words[3].update(enumerate(struct.unpack(f">{len(raw) // 2}H", raw)))
    tags = [TagSpec(f"f{n}", f"HR{4 * n}", DataType.FLOAT64) for n in range(6)]
    tags += [TagSpec("signed", "HR24", DataType.INT64), TagSpec("unsigned", "HR28", DataType.UINT64)]
    tags += [TagSpec("bad", "HR32", DataType.STRING, length=4), TagSpec("cut", "HR34", DataType.STRING, length=4)]
    session = await modbus.connect(connection)
    cycle = Cycle([None] * len(tags))
    for request in modbus.compile(connection, [modbus.point(tag, connection) for tag in tags]):
        await session.read(request, cycle)
    await session.close()
    await plc.stop()
    assert cycle.bad == dict.fromkeys(range(3), Quality.NOT_A_NUMBER) | {8: Quality.BAD_ENCODING}
    good = [value for value in cycle.values if value is not None]
    assert repr(good) == repr([-0.0, 5e-324, 1.7976931348623157e308, 2**53 + 1, 2**64 - 1, "abc"])
    assert json.loads(orjson.dumps(good)) == good


@pytest.mark.parametrize("protocol", ["modbus_tcp", "modbus_rtu_tcp", "modbus_rtu"])
async def test_p7_a_thousand_reconnects_to_a_device_that_allows_one_connection(protocol: str) -> None:
    framing = None if protocol == "modbus_tcp" else RtuFraming()
    modbus = registry.driver(protocol)
    async with ModbusPlc({1: unit_of(100)}, framing=framing, serial=protocol == "modbus_rtu") as plc:
        plc.faults.connection_limit = 1
        wire: Device = {"host": plc.host, "port": plc.port}
        if protocol == "modbus_rtu":
            wire = {"serial_port": plc.serial_port, "baudrate": 115_200}
        connection = modbus.connection(wire, 2)
        (request,) = modbus.compile(connection, [modbus.point(TagSpec("t", "HR1", DataType.UINT16), connection)])
        files: list[int] = []
        for turn in range(1000):
            session = await modbus.connect(connection)
            if turn % 10 == 0:
                cycle = Cycle([None])
                await session.read(request, cycle)
                assert cycle.values == [101]
            await session.close()
            if protocol != "modbus_rtu":
                async with asyncio.timeout(5):
                    while plc.record.connections <= turn or plc.open_connections:
                        await asyncio.sleep(0)
            files.append(len(os.listdir("/proc/self/fd")))  # noqa: PTH208
        assert plc.record.turned_away == 0
    assert max(files[500:]) <= files[10] + 2
