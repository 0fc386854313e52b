"""The newest reading of every tag is that of the last cycle in which it was due."""

import pytest

from collector.polling.scan import Scan
from collector.status.latest import MAX_KEPT, Latest, Reading
from protocols.quality import Quality
from tests.doubles.clock import FakeClock
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan

PLAN = device_plan(ScriptedDriver(), [0, 1], slow=[2])


@pytest.fixture
def devices() -> dict[str, object]:
    return {"1": object()}


@pytest.fixture
def latest(devices: dict[str, object]) -> Latest:
    return Latest(devices, FakeClock())


def test_each_tag_has_the_value_of_its_last_cycle(latest: Latest) -> None:
    latest.look(Scan(PLAN, 1, ("t0", "t1", "t2"), [1, 2, 3], {}))
    latest.look(Scan(PLAN, 2, ("t0", "t1"), [4, None], {1: Quality.TIMEOUT}))
    assert latest.of("1") == {
        "t0": Reading(4, None, 2),
        "t1": Reading(None, Quality.TIMEOUT, 2),
        "t2": Reading(3, None, 1),
    }


def test_the_last_to_come_is_the_newest_also_when_the_wall_clock_went_back(latest: Latest) -> None:
    latest.look(Scan(PLAN, 9_000, ("t0", "t1"), [1, 1], {}))
    latest.look(Scan(PLAN, 5_000, ("t0",), [2], {}))
    assert latest.of("1")["t0"].value == 2
    latest.look(Scan(PLAN, 4_000, ("t0", "t1"), [3, 3], {}))
    assert latest.of("1")["t0"].value == 3


def test_a_changed_plan_forgets_the_tags_it_has_no_more(latest: Latest) -> None:
    latest.look(Scan(PLAN, 1, ("t0", "t2"), [1, 2], {}))
    changed = device_plan(ScriptedDriver(), [0])
    latest.look(Scan(changed, 2, ("t0",), [5], {}))
    assert latest.of("1") == {"t0": Reading(5, None, 2)}


def test_a_device_that_is_gone_has_no_values_and_is_forgotten(latest: Latest, devices: dict[str, object]) -> None:
    latest.look(Scan(PLAN, 1, ("t0",), [1], {}))
    del devices["1"]
    assert latest.of("1") == {}
    devices["2"] = object()
    latest.look(Scan(device_plan(ScriptedDriver(), [0], device_id="2"), 1, ("t0",), [1], {}))
    devices["1"] = object()
    assert latest.of("1") == {}
    assert latest.of("never seen") == {}


def test_what_is_kept_is_bounded_however_many_groups_fall_due_together(latest: Latest) -> None:
    names = tuple(f"t{n}" for n in range(8))
    newest: dict[str, int] = {}
    for stamp in range(1, 256):
        due = tuple(name for bit, name in enumerate(names) if stamp >> bit & 1)
        latest.look(Scan(PLAN, stamp, due, [stamp] * len(due), {}))
        newest |= dict.fromkeys(due, stamp)
    assert len(latest.cycles("1")) <= MAX_KEPT
    assert {name: reading.value for name, reading in latest.of("1").items()} == newest


def test_quiet_says_how_long_nothing_good_came() -> None:
    clock = FakeClock()
    latest = Latest({"1": object()}, clock)
    assert latest.quiet_s() is None
    latest.look(Scan(PLAN, 1, ("t0", "t1"), [None, 1], {0: Quality.TIMEOUT}))
    clock.advance(7)
    latest.look(Scan(PLAN, 2, ("t0", "t1"), [None, None], {0: Quality.TIMEOUT, 1: Quality.TIMEOUT}))
    assert latest.quiet_s() == 7
