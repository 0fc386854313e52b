"""The XGT driver, the planner and a poller against the simulated PLC."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterable

import pytest

from collector.clock import SystemClock
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.polling.device import DevicePoller
from collector.polling.group import GroupReader
from collector.polling.scan import Scan
from collector.status.board import Board, DeviceCondition
from fleet_client.reading import read_document
from protocols.base import Cycle, PlcDriver
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.quality import Quality
from protocols.registry import driver
from simulators.commands import run_xgt
from simulators.xgt import Memory, Record, XgtPlc, demo_device, demo_memory, family_of
from simulators.xgt.assembly_line import ASSEMBLY_LINE

DRIVER: PlcDriver = driver("xgt")


def planned(device: dict[str, object]) -> Plan:
    """The plan of a document with this one device."""
    document = json.dumps({"version": "1", "edge_id": "edge-test-001", "devices": [device]}).encode()
    return plan_document(read_document(document, expected_edge_ids=None), PlanOptions("edge-test-001"))


def words(port: int, numbers: Iterable[int], family: str = "xgk", timeout_ms: int = 1000) -> Plan:
    """The plan of a device with words of device D."""
    tags = [{"name": f"d{number}", "address": f"D{number}", "data_type": "UINT16"} for number in numbers]
    device = demo_device("127.0.0.1", port, family=family)
    return planned(device | {"tags": tags, "timeout_ms": timeout_ms})


async def cycle_of(plan: Plan) -> Cycle:
    """One poll of the plan's one device."""
    (device,) = plan.devices
    reader = GroupReader(DRIVER, device, device.groups[0])
    session = await DRIVER.connect(device.connection)
    cycle = Cycle([None] * len(device.names))
    try:
        await reader.read(session, cycle, 0.0)
    finally:
        await session.close()
    return cycle


@pytest.fixture
async def plc() -> AsyncIterator[XgtPlc]:
    async with XgtPlc(demo_memory()) as running:
        yield running


@pytest.fixture
async def counting() -> AsyncIterator[XgtPlc]:
    """Each word of device D holds its number, in every family."""
    async with XgtPlc(Memory()) as running:
        running.memory.poke("D", 0, b"".join(n.to_bytes(2, "little") for n in range(30_000)))
        yield running


async def test_the_assembly_line_is_read_whole(plc: XgtPlc) -> None:
    plan = planned(demo_device("127.0.0.1", plc.port))
    assert not plan.problems
    cycle = await cycle_of(plan)
    assert cycle.bad == {}
    values = dict(zip(plan.devices[0].names, cycle.values, strict=True))
    assert list(values) == [tag.name for tag in ASSEMBLY_LINE]
    assert values["작업자"] in ("김철수", "이영희", "박민준")
    assert values["model"] == "ASSY-L1"
    assert values["temperature"] == pytest.approx(41.2, abs=2.6)
    assert values["조립수량"] == pytest.approx(64_000, abs=10)
    assert values["불량수량"] == pytest.approx(120, abs=1)
    assert values["energy"] == pytest.approx(5_120.25, abs=5)
    assert (values["setpoint"], values["운전중"], values["dwell_over"]) == (41, True, True)
    lamps = values["lamps"]
    assert isinstance(lamps, int)
    assert (values["운전중"], values["자재부족"]) == (bool(lamps & 2), bool(lamps & 0x1000))


@pytest.mark.parametrize(("family", "requests"), [("xgk", 2), ("xgb", 4), ("auto", 2)])
async def test_a_thousand_words_arrive_each_in_its_place(counting: XgtPlc, family: str, requests: int) -> None:
    plan = words(counting.port, range(1000), family)
    assert len(plan.devices[0].groups[0].requests) == requests
    assert (await cycle_of(plan)).values == list(range(1000))


async def test_a_large_block_that_the_plc_does_not_grant_is_halved_for_good() -> None:
    async with XgtPlc(Memory(), family=family_of("xgb")) as plc:
        plan = words(plc.port, range(1000), "xgk")
        (device,) = plan.devices
        reader = GroupReader(DRIVER, device, device.groups[0])
        session = await DRIVER.connect(device.connection)
        for _ in range(3):  # each teaches what the last one left open
            plc.record = Record()
            cycle = Cycle([None] * 1000)
            await reader.read(session, cycle, 0.0)
            assert cycle.values == [0] * 1000
        assert not plc.record.naks
        await session.close()


@pytest.mark.parametrize("bad", [{0}, {41}, {99}, {3, 4, 77}])
async def test_a_bad_address_costs_only_itself(counting: XgtPlc, bad: set[int]) -> None:
    counting.faults.bad_addresses = bad
    cycle = await cycle_of(words(counting.port, range(100)))
    assert cycle.values == [None if number in bad else number for number in range(100)]
    assert cycle.bad == dict.fromkeys(bad, Quality.BAD_ADDRESS)


async def test_a_bad_address_among_strays_costs_only_itself(counting: XgtPlc) -> None:
    counting.faults.bad_addresses = {7000}
    cycle = await cycle_of(words(counting.port, [1000 * n for n in range(16)]))
    assert cycle.values == [None if n == 7 else 1000 * n for n in range(16)]
    assert cycle.bad == {7: Quality.BAD_ADDRESS}


@pytest.mark.parametrize(
    ("fault", "value", "error"),
    [
        ("silent", True, NoAnswer),
        ("half_frame", True, NoAnswer),
        ("half_and_close", True, SessionLost),
        ("garbage", True, BadAnswer),
        ("wrong_invoke", True, BadAnswer),
        ("wrong_command", True, BadAnswer),
        ("wrong_company", True, BadAnswer),
        ("wrong_count", True, BadAnswer),
        ("wrong_length", -1, BadAnswer),
        ("wrong_length", 3, NoAnswer),
        ("fewer", True, BadAnswer),
        ("late", True, NoAnswer),
        ("slow_s", 5.0, NoAnswer),
        ("nak", 0x75, RequestRefused),
    ],
)
async def test_every_fault_ends_in_its_own_error_and_never_in_a_value(
    counting: XgtPlc, fault: str, value: object, error: type[Exception]
) -> None:
    (device,) = words(counting.port, [5, 6, 7], timeout_ms=300).devices
    (request,) = device.groups[0].requests
    session = await DRIVER.connect(device.connection)
    setattr(counting.faults, fault, value)
    cycle = Cycle([None] * 3)
    with pytest.raises(error):
        await session.read(request, cycle)
    assert cycle == Cycle([None] * 3)
    await session.close()
    counting.faults.clear()
    session = await DRIVER.connect(device.connection)
    await session.read(request, cycle)
    assert cycle.values == [5, 6, 7]
    await session.close()


@pytest.mark.parametrize("fault", ["short_nak", "no_checksum", "stopped", "in_error"])
async def test_what_differs_from_plc_to_plc_is_taken_as_it_is(counting: XgtPlc, fault: str) -> None:
    setattr(counting.faults, fault, True)
    cycle = await cycle_of(words(counting.port, [5, 6, 40_000]))
    assert cycle.values == [5, 6, None]
    assert cycle.bad == {2: Quality.BAD_ADDRESS}


async def test_a_thousand_reconnects_to_a_plc_with_one_connection_leave_nothing_behind(counting: XgtPlc) -> None:
    counting.faults.connection_limit = 1
    (device,) = words(counting.port, [5]).devices
    (request,) = device.groups[0].requests
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    for _ in range(1000):
        session = await DRIVER.connect(device.connection)
        cycle = Cycle([None])
        await session.read(request, cycle)
        assert cycle.values == [5]
        await session.close()
        async with asyncio.timeout(5):
            while counting.open_connections:
                await asyncio.sleep(0)
    assert counting.record.turned_away == 0
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # noqa: PTH208


async def test_no_two_requests_of_a_session_have_one_invoke_id(counting: XgtPlc) -> None:
    (device,) = words(counting.port, [5]).devices
    session = await DRIVER.connect(device.connection)
    for _ in range(100):
        await session.read(device.groups[0].requests[0], Cycle([None]))
    await session.close()
    assert len(set(counting.record.invokes)) == 100


async def test_the_plcs_state_is_in_the_devices_status(plc: XgtPlc) -> None:
    (device,) = planned(demo_device("127.0.0.1", plc.port)).devices
    clock, scans = SystemClock(), list[Scan]()
    board = Board(clock)
    poller = DevicePoller(DRIVER, device, 0.0, clock=clock, board=board, deliver=scans.append)
    session = await DRIVER.connect(device.connection)
    state = board.devices[device.id]
    await poller.poll(session, clock.monotonic())
    assert (state.condition, state.remark) == (DeviceCondition.ONLINE, "PLC in RUN")
    plc.faults.stopped = True
    await poller.poll(session, clock.monotonic() + 10)
    assert (state.condition, state.remark) == (DeviceCondition.ONLINE, "PLC in STOP: its program does not run")
    plc.faults.half_and_close = True
    with pytest.raises(SessionError):
        await poller.poll(session, clock.monotonic() + 20)
    assert (state.condition, state.remark) == (DeviceCondition.OFFLINE, None)
    await session.close()


async def test_the_command_says_where_it_is_and_ends_when_told() -> None:
    said, stop = asyncio.Queue[str](), asyncio.Event()
    running = asyncio.create_task(run_xgt(echo=said.put_nowait, port=0, family="xgk", faults=["stopped"], stop=stop))
    opening = await asyncio.wait_for(said.get(), 5)
    port = int(opening.partition("127.0.0.1:")[2].partition(",")[0])
    assert (await cycle_of(planned(demo_device("127.0.0.1", port)))).bad == {}
    stop.set()
    await asyncio.wait_for(running, 5)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_a_family_that_is_not_known_ends_the_command() -> None:
    with pytest.raises(ValueError, match="family 's7' is unknown; expected one of xgk, xgi"):
        await run_xgt(echo=print, port=0, family="s7")
