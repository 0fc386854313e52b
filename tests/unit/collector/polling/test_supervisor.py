"""Lanes: the grid, back-off, shared links, and reloads that leave the others alone."""

import asyncio
import itertools
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from collector.config.plan import ProtocolDoubt
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition
from protocols.errors import NoAnswer, SessionLost
from protocols.quality import Quality
from tests.doubles.clock import LoopClock
from tests.doubles.driver import ScriptedConnection, ScriptedDriver
from tests.doubles.plans import device_plan, plan_of


class Hall:
    """A supervisor over scripted devices, and what it delivered, by device id."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.board = Board(self.clock)
        self.driver = ScriptedDriver()
        self.scans: defaultdict[str, list[Scan]] = defaultdict(list)
        self.supervisor = Supervisor(
            clock=self.clock, board=self.board, deliver=self.take, driver_of=lambda _: self.driver.erased
        )

    def take(self, scan: Scan) -> None:
        self.scans[scan.device.id].append(scan)

    def condition(self, device_id: str) -> DeviceCondition:
        return self.board.devices[device_id].condition

    def good(self, device_id: str) -> list[Scan]:
        return [scan for scan in self.scans[device_id] if not scan.empty]


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    async with hall.supervisor:
        yield hall


async def test_polls_sit_on_a_fixed_grid(hall: Hall) -> None:
    hall.driver.device("plc").answer_s = 0.3
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2, 3])))
    await asyncio.sleep(10.05)
    times = hall.driver.device("plc").read_times
    assert [round(time - times[0], 3) for time in times] == [float(n) for n in range(11)]
    assert hall.scans["1"][0].values == [1, 2, 3]
    assert hall.condition("1") is DeviceCondition.ONLINE


async def test_ticks_missed_are_counted_and_never_made_up_for(hall: Hall) -> None:
    device = hall.driver.device("plc")
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
    await asyncio.sleep(0.5)
    device.answer_s = 2.5
    await asyncio.sleep(3.0)
    device.answer_s = 0.0
    await asyncio.sleep(3.0)
    times = [round(time - device.read_times[0], 3) for time in device.read_times]
    assert times == [0.0, 1.0, 3.5, 4.0, 5.0, 6.0]
    assert hall.board.devices["1"].missed == 1


async def test_groups_of_other_intervals_join_the_same_message(hall: Hall) -> None:
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2], slow=[50], slow_ms=5000)))
    await asyncio.sleep(5.5)
    assert [scan.names for scan in hall.scans["1"]] == [
        ("t1", "t2", "t50"), *[("t1", "t2")] * 4, ("t1", "t2", "t50"),
    ]  # fmt: skip
    assert hall.scans["1"][0].values == [1, 2, 50]


async def test_stamps_are_unique_a_device(hall: Hall) -> None:
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1], interval_ms=10)))
    await asyncio.sleep(2)
    stamps = [scan.stamp_ms for scan in hall.scans["1"]]
    assert len(stamps) == len(set(stamps)) > 150


async def test_a_dead_device_backs_off_to_half_a_minute_and_costs_the_others_nothing(hall: Hall) -> None:
    hall.driver.device("dead").refuse_connections = True
    hall.supervisor.apply(
        plan_of(
            device_plan(hall.driver, [1], device_id="1", host="dead"),
            device_plan(hall.driver, [1], device_id="2", host="alive"),
        )
    )
    await asyncio.sleep(300.2)
    assert len(hall.good("2")) == 300
    assert 10 <= hall.driver.device("dead").connects <= 18
    state = hall.board.devices["1"]
    assert hall.condition("1") is DeviceCondition.OFFLINE
    assert state.error == "dead refused the connection"
    assert all(scan.bad == {0: Quality.DISCONNECTED} for scan in hall.scans["1"])

    hall.driver.device("dead").refuse_connections = False
    await asyncio.sleep(40)
    assert hall.condition("1") is DeviceCondition.ONLINE


async def test_a_broken_session_is_replaced_at_once_when_it_was_good_before(hall: Hall) -> None:
    device = hall.driver.device("plc")
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
    await asyncio.sleep(2.5)
    device.break_reads = SessionLost("plc closed the connection")
    await asyncio.sleep(0.6)
    device.break_reads = None
    await asyncio.sleep(1.0)
    assert [scan.empty for scan in hall.scans["1"]] == [False, False, False, True, False]
    assert (device.connects, device.most_sessions) == (2, 1)


async def test_what_was_read_before_the_session_broke_is_delivered(hall: Hall) -> None:
    device = hall.driver.device("plc")
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2], slow=[50], slow_ms=1000)))
    device.answer_s = 0.1
    await asyncio.sleep(0.15)
    device.break_reads = NoAnswer("plc did not answer")
    await asyncio.sleep(0.1)
    scan = hall.scans["1"][0]
    assert scan.values == [1, 2, None]
    assert scan.bad == {2: Quality.TIMEOUT}
    assert hall.condition("1") is DeviceCondition.DEGRADED


async def test_a_silent_unit_on_a_shared_link_is_asked_rarely(hall: Hall) -> None:
    gateway = hall.driver.device("gateway")
    gateway.silent_units = {2: NoAnswer("unit 2 is silent")}
    hall.supervisor.apply(
        plan_of(
            device_plan(hall.driver, [1], device_id="a", host="gateway", unit=1),
            device_plan(hall.driver, [1], device_id="b", host="gateway", unit=2),
        )
    )
    await asyncio.sleep(120)
    asked = [read for read in gateway.reads if read.unit == 2]
    assert 3 <= len(asked) <= 5
    assert len(hall.good("a")) >= 105
    assert (gateway.connects, gateway.most_sessions) == (1, 1)
    assert hall.condition("b") is DeviceCondition.OFFLINE


async def test_a_reload_leaves_unchanged_devices_alone(hall: Hall) -> None:
    same = device_plan(hall.driver, [1, 2], device_id="1", host="one")
    old = device_plan(hall.driver, [1], device_id="2", host="two")
    new = device_plan(hall.driver, [1, 7], device_id="2", host="two")
    hall.supervisor.apply(plan_of(same, old))
    for turn in range(20):
        await asyncio.sleep(0.73)
        again = device_plan(hall.driver, [1, 2], device_id="1", host="one")
        hall.supervisor.apply(plan_of(again, new if turn % 2 else old))
    times = hall.driver.device("one").read_times
    assert [round(time - times[0], 3) for time in times] == [float(n) for n in range(len(times))]
    assert len(times) == 15
    assert hall.driver.device("one").connects == 1
    assert hall.driver.device("two").most_sessions == 1


async def test_a_removed_device_is_let_go(hall: Hall) -> None:
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
    await asyncio.sleep(1.5)
    hall.supervisor.apply(plan_of())
    await asyncio.sleep(1.0)
    reads = len(hall.driver.device("plc").reads)
    await asyncio.sleep(5.0)
    assert len(hall.driver.device("plc").reads) == reads
    assert hall.driver.device("plc").sessions == 0
    assert not hall.board.devices


async def test_a_device_that_moves_never_has_two_sessions(hall: Hall) -> None:
    here = device_plan(hall.driver, [1], host="here")
    there = replace(here, connection=replace(here.connection, host="there"))  # type: ignore[type-var]
    hall.driver.devices["there"] = hall.driver.device("here")
    hall.supervisor.apply(plan_of(here))
    for turn in range(50):
        await asyncio.sleep(0.31)
        hall.supervisor.apply(plan_of(here if turn % 2 else there))
    await asyncio.sleep(2)
    assert hall.driver.device("here").most_sessions == 1
    assert len(hall.good("1")) > 10


async def test_r3_a_bug_in_a_driver_marks_its_device_and_is_tried_again(hall: Hall) -> None:
    ill = hall.driver.device("ill")
    ill.crash = ZeroDivisionError("a bug")
    hall.supervisor.apply(
        plan_of(
            device_plan(hall.driver, [1], device_id="1", host="ill"),
            device_plan(hall.driver, [1], device_id="2", host="well"),
        )
    )
    await asyncio.sleep(2.0)
    assert hall.condition("1") is DeviceCondition.FAULTED
    assert "ZeroDivisionError" in (hall.board.devices["1"].error or "")
    ill.crash = None
    await asyncio.sleep(20.0)
    assert hall.condition("1") is DeviceCondition.ONLINE
    assert len(hall.good("2")) >= 21
    assert ill.most_sessions == 1


async def test_leaving_closes_every_session() -> None:
    hall = Hall()
    async with hall.supervisor:
        hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
        await asyncio.sleep(1.0)
        assert hall.driver.device("plc").sessions == 1
    assert hall.driver.device("plc").sessions == 0


async def test_first_polls_are_spread(hall: Hall) -> None:
    devices = [device_plan(hall.driver, [1], device_id=str(n), host=f"h{n}") for n in range(10)]
    hall.supervisor.apply(plan_of(*devices))
    await asyncio.sleep(1.5)
    starts = sorted(hall.driver.device(f"h{n}").read_times[0] for n in range(10))
    gaps = {round(later - sooner, 3) for sooner, later in itertools.pairwise(starts)}
    assert gaps == {0.1}


async def test_a_probe_is_made_once_and_never_beside_another_session(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.break_reads = NoAnswer("plc did not answer")
    plan = device_plan(hall.driver, [1])
    hall.supervisor.apply(plan_of(replace(plan, doubt=ProtocolDoubt("other", "a doubt", plan.connection))))
    await asyncio.sleep(2.5)
    probes = [request for request in device.reads if request.addresses == (7,)]
    assert (len(probes), device.most_sessions) == (1, 1)
    assert hall.board.devices["1"].error == "plc did not answer"
    assert hall.board.devices["1"].remark == "a doubt"

    device.break_reads = None
    await asyncio.sleep(40)
    assert hall.condition("1") is DeviceCondition.ONLINE
    assert hall.board.devices["1"].remark == "a doubt"
    assert len([request for request in device.reads if request.addresses == (7,)]) == 1


async def test_a_probe_that_is_not_let_in_where_the_device_was_is_spent(hall: Hall) -> None:
    device, other = hall.driver.device("plc"), hall.driver.device("other")
    device.break_reads = NoAnswer("plc did not answer")
    other.refuse_connections = True
    doubt = ProtocolDoubt("other", "a doubt", ScriptedConnection("other"))
    hall.supervisor.apply(plan_of(replace(device_plan(hall.driver, [1]), doubt=doubt)))
    await asyncio.sleep(100)
    assert (other.connects, device.connects > 3) == (1, True)


async def test_a_bad_tag_of_a_slow_group_is_one_state_and_no_flapping(hall: Hall) -> None:
    hall.driver.device("plc").unreadable = {50}
    told: list[DeviceCondition] = []
    hall.board.on_change.append(lambda state: told.append(state.condition))
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2], slow=[50, 60], interval_ms=200, slow_ms=1000)))
    await asyncio.sleep(20)
    assert told == [DeviceCondition.DEGRADED]
    assert hall.board.devices["1"].bad_tags == {"t50": "bad_address"}
    assert "t50 bad_address" in (hall.board.devices["1"].error or "")


async def test_units_of_a_link_that_was_silent_come_back_with_the_link(hall: Hall) -> None:
    gateway = hall.driver.device("gateway")
    devices = [device_plan(hall.driver, [1], device_id=str(unit), host="gateway", unit=unit) for unit in (1, 2)]
    hall.supervisor.apply(plan_of(*devices))
    await asyncio.sleep(5)
    gateway.silent_units = {unit: NoAnswer(f"unit {unit} is silent") for unit in (1, 2)}
    await asyncio.sleep(10)
    gateway.silent_units = {}
    before = {unit: len(hall.good(unit)) for unit in ("1", "2")}
    await asyncio.sleep(12)
    assert all(len(hall.good(unit)) > before[unit] + 3 for unit in ("1", "2"))


async def test_a_new_name_is_shown_at_once(hall: Hall) -> None:
    plan = device_plan(hall.driver, [1])
    hall.supervisor.apply(plan_of(plan))
    await asyncio.sleep(2)
    hall.supervisor.apply(plan_of(replace(plan, name="베타")))
    await asyncio.sleep(2)
    assert hall.board.devices["1"].name == "베타"


async def test_how_long_polls_took_and_what_failed_them_is_on_the_board(hall: Hall) -> None:
    hall.driver.device("plc").answer_s = 0.3
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
    await asyncio.sleep(2.5)
    state = hall.board.devices["1"]
    assert state.took.total_s == pytest.approx(0.9)
    assert sum(state.took.counts) == state.polls == 3
    assert state.failed == {}


async def test_a_device_that_leaves_in_the_middle_of_a_poll_costs_its_lane_nothing(hall: Hall) -> None:
    hall.driver.device("plc").answer_s = 0.3
    two = [device_plan(hall.driver, [1], device_id=each, unit=int(each)) for each in "12"]
    hall.supervisor.apply(plan_of(*two))
    await asyncio.sleep(0.1)
    hall.supervisor.apply(plan_of(two[1]))
    await asyncio.sleep(3)
    assert "1" not in hall.board.devices
    assert hall.condition("2") is DeviceCondition.ONLINE
