"""Pace and probation, on a clock that leaps: what flaps does not flap the devices, what silences a plant goes back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

from collector.config.in_force import InForce
from collector.config.pace import REST_S, Pace
from collector.config.plan import DevicePlan, IdleDevice, Plan
from collector.config.rollout import Rollout
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition
from protocols.errors import SessionLost
from tests.doubles.clock import LoopClock
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan, plan_of


class Office:
    """A rollout over real lanes and scripted devices; `events` are the config events it sent."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.board = Board(self.clock)
        self.driver = ScriptedDriver()
        self.events: list[tuple[str, object]] = []
        self.supervisor = Supervisor(
            clock=self.clock, board=self.board, deliver=lambda _: None, driver_of=lambda _: self.driver.erased
        )
        self.rollout = Rollout(
            self.supervisor.apply, None, probation_s=60, clock=self.clock, board=self.board, tell=self.tell
        )

    def tell(self, kind: str, fields: Mapping[str, object]) -> None:
        assert kind == "config"
        self.events.append((str(fields["state"]), fields["version"]))

    async def take(self, plan: Plan, version: str) -> None:
        await self.rollout.take(document(plan, version), "fleet")

    @property
    def version(self) -> str | None:
        assert self.rollout.in_force is not None
        return self.rollout.in_force.plan.version

    def condition(self, device_id: str) -> DeviceCondition:
        return self.board.devices[device_id].condition

    def device(self, device_id: str, *addresses: int, host: str | None = None) -> DevicePlan:
        return device_plan(self.driver, addresses or (1,), device_id=device_id, host=host or f"plc{device_id}")


def document(plan: Plan, version: str) -> InForce:
    return InForce(version.encode(), version, f'"{version}"', "edge-1", "/config", replace(plan, version=version))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    office = Office()
    async with office.supervisor:
        running = asyncio.create_task(office.rollout.run())
        yield office
        running.cancel()


async def test_f7_600_flips_reconnect_no_unchanged_device_and_change_the_others_each_10_s_at_most(
    office: Office,
) -> None:
    same = [office.device(str(n)) for n in range(3)]
    a = plan_of(*same, office.device("flips", 1), office.device("moves", host="here"), office.device("comes"))
    b = plan_of(*same, office.device("flips", 2), office.device("moves", host="there"))
    office.driver.devices["there"] = office.driver.device("here")
    for flip in range(600):
        await office.take(b if flip % 2 else a, f"v{flip}")
        await asyncio.sleep(1)
    for device in same:
        link = office.driver.device(f"plc{device.id}")
        assert (link.connects, link.most_sessions) == (1, 1)
        assert len(link.read_times) == pytest.approx(600, abs=1)
        assert {round(later - sooner, 3) for sooner, later in pairwise(link.read_times)} == {1.0}
    assert office.driver.device("plcflips").connects == 1
    asked = [read.addresses for read in office.driver.device("plcflips").reads]
    assert sum(before != after for before, after in pairwise(asked)) <= 600 / REST_S + 2
    for name in ("here", "plccomes"):
        link = office.driver.device(name)
        assert link.most_sessions == 1
        assert link.connects <= 600 / REST_S + 2
    await asyncio.sleep(REST_S + 1)
    assert office.driver.device("plcflips").reads[-1].addresses == (2,)
    assert "comes" not in office.board.devices


async def test_a_single_change_waits_for_nothing(office: Office) -> None:
    await office.take(plan_of(office.device("1", 1)), "v1")
    await asyncio.sleep(0.5)
    await office.take(plan_of(office.device("1", 2), office.device("2")), "v2")
    await asyncio.sleep(1.5)
    assert office.driver.device("plc1").reads[-1].addresses == (2,)
    assert office.driver.device("plc2").reads


async def test_what_is_held_back_keeps_its_state_on_the_board(office: Office) -> None:
    on, off = plan_of(office.device("1")), replace(plan_of(), idle=(IdleDevice("1", "PLC 1", None),))
    await office.take(on, "v1")
    await asyncio.sleep(2)
    await office.take(off, "v2")
    assert office.condition("1") is DeviceCondition.DISABLED
    await office.take(on, "v3")
    await asyncio.sleep(REST_S - 1)
    assert office.condition("1") is DeviceCondition.DISABLED
    await asyncio.sleep(2.5)
    assert office.condition("1") is DeviceCondition.ONLINE


def test_pace_says_when_there_is_more() -> None:
    driver, pace = ScriptedDriver(), Pace()
    one, two = plan_of(device_plan(driver, [1])), plan_of(device_plan(driver, [2]))
    assert pace.admit(one, 0.0).more_at is None
    assert pace.admit(two, 1.0).plan == two
    held = pace.admit(one, 2.0)
    assert (held.plan, held.more_at) == (two, 1.0 + REST_S)
    assert pace.admit(one, 1.0 + REST_S).plan == one


async def test_a_document_that_silences_all_that_was_good_goes_back_and_is_tried_again(office: Office) -> None:
    good = plan_of(office.device("1"), office.device("2"))
    bad = plan_of(office.device("1", host="wrong"), office.device("2", host="wrong too"))
    office.driver.device("wrong").refuse_connections = True
    office.driver.device("wrong too").refuse_connections = True
    await office.take(good, "v1")
    await asyncio.sleep(5)
    await office.take(bad, "v2")
    await asyncio.sleep(59)
    assert office.version == "v2"
    await asyncio.sleep(2)
    assert office.version == "v1"
    assert office.events == [("applied", "v1"), ("applied", "v2"), ("rolled_back", "v2")]
    assert "v2" in office.board.conditions["config_rolled_back"].detail
    aside = office.rollout.set_aside
    assert aside is not None
    assert aside.until is not None
    assert (aside.sha256, aside.tag, round(aside.until - office.clock.monotonic())) == ("v2", '"v2"', 599)
    await asyncio.sleep(2)
    assert office.condition("1") is DeviceCondition.ONLINE
    await office.take(good, "v3")
    assert "config_rolled_back" not in office.board.conditions


async def test_one_device_that_is_good_is_enough(office: Office) -> None:
    office.driver.device("wrong").refuse_connections = True
    await office.take(plan_of(office.device("1"), office.device("2")), "v1")
    await asyncio.sleep(5)
    await office.take(plan_of(office.device("1", host="wrong"), office.device("2", 7)), "v2")
    await asyncio.sleep(120)
    assert office.version == "v2"


async def test_a_line_that_is_switched_off_by_hand_is_no_mistake(office: Office) -> None:
    office.driver.device("plc2").refuse_connections = True
    await office.take(plan_of(office.device("1"), office.device("2")), "v1")
    await asyncio.sleep(5)
    disabled = replace(plan_of(office.device("2")), idle=(IdleDevice("1", "PLC 1", None),))
    await office.take(disabled, "v2")
    await asyncio.sleep(120)
    await office.take(plan_of(), "v3")
    await asyncio.sleep(120)
    assert [state for state, _ in office.events] == ["applied"] * 3


async def test_an_edit_while_the_plant_is_off_stays(office: Office) -> None:
    await office.take(plan_of(office.device("1")), "v1")
    await asyncio.sleep(5)
    office.driver.device("plc1").refuse_connections = True
    office.driver.device("plc1").break_reads = SessionLost("the plant is off")
    await asyncio.sleep(61)
    await office.take(plan_of(office.device("1", 7)), "v2")
    await asyncio.sleep(120)
    assert office.version == "v2"


async def test_a_device_that_the_new_document_makes_unusable_speaks_against_it(office: Office) -> None:
    await office.take(plan_of(office.device("1")), "v1")
    await asyncio.sleep(5)
    await office.take(replace(plan_of(), idle=(IdleDevice("1", "PLC 1", "no host"),)), "v2")
    await asyncio.sleep(61)
    assert office.version == "v1"


async def test_a_second_change_on_probation_is_judged_by_what_was_good_before_the_first(office: Office) -> None:
    for host in ("wrong", "worse"):
        office.driver.device(host).refuse_connections = True
    await office.take(plan_of(office.device("1")), "v1")
    await asyncio.sleep(5)
    await office.take(plan_of(office.device("1", host="wrong")), "v2")
    await asyncio.sleep(50)
    await office.take(plan_of(office.device("1", host="worse")), "v3")
    await asyncio.sleep(59)
    assert office.version == "v3"
    await asyncio.sleep(2)
    assert office.version == "v1"


async def test_a_device_that_is_polled_rarely_is_not_missed(office: Office) -> None:
    rare = device_plan(office.driver, [1], device_id="1", interval_ms=600_000)
    await office.take(plan_of(rare), "v1")
    await asyncio.sleep(5)
    await office.take(plan_of(rare, office.device("2")), "v2")
    await asyncio.sleep(120)
    assert office.version == "v2"
