"""One device of fifty with one thing wrong: the other 49 are the very same plans, the refusal names its path."""

import json
import random
from typing import Any

import pytest

from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.config.replanning import Replanner
from fleet_client.reading import read_document
from tests.doubles.spoilt_documents import VALUES, every_field, places, spoilt

DEVICES = 50
DOCUMENT: dict[str, Any] = {
    "version": "v",
    "edge_id": "edge-1",
    "devices": [
        {"id": str(n), "protocol": "modbus_tcp", "connection": {"host": "127.0.0.1"}, "tags": every_field()["tags"][:1]}
        for n in range(DEVICES)
    ],
}
VICTIM = every_field()
PLACES = [place for place in places(VICTIM) if place]


def planned(document: dict[str, Any], replanner: Replanner) -> Plan:
    return replanner.plan_body(json.dumps(document).encode(), expected_edge_ids=["edge-1"])


def test_f6_300_single_mutations_leave_49_devices_unbroken_and_name_their_path() -> None:
    dice, replanner = random.Random(6), Replanner(PlanOptions("edge-1"))
    before = {device.id: device for device in planned(DOCUMENT, replanner).devices}
    assert len(before) == DEVICES
    refusals = 0
    for _ in range(300):
        victim, place = dice.randrange(DEVICES), dice.choice(PLACES)
        name = dice.choice([each for each in VALUES if each != "deep"])
        devices = [*DOCUMENT["devices"]]
        devices[victim] = spoilt({**VICTIM, "id": str(victim)}, place, VALUES[name])
        plan = planned({**DOCUMENT, "devices": devices}, replanner)
        after = {device.id: device for device in plan.devices}
        others = set(before) - {str(victim)}
        assert all(after.get(device) == before[device] for device in others), (place, name)
        problems = [problem for problem in plan.problems if problem.path]
        assert all(problem.path.startswith(f"devices[{victim}]") for problem in problems), (place, name)
        if str(victim) not in after and place != ("enabled",) and place != ("id",):
            assert problems, (place, name)
        refusals += bool(problems)
    assert refusals > 100


@pytest.mark.parametrize(("before", "after"), [(1, True), (502, 502.0), ("1", 1), (None, 0)])
def test_a_connection_that_only_seems_the_same_is_planned_anew(before: object, after: object) -> None:
    """For Python 1, 1.0 and true are equal; for a document they are not."""
    replanner = Replanner(PlanOptions("edge-1"))
    for value in (before, after):
        document = spoilt(DOCUMENT, ("devices", 0, "connection", "unit_id"), value)
        remembered = planned(document, replanner)
        fresh = plan_document(
            read_document(json.dumps(document).encode(), expected_edge_ids=None), PlanOptions("edge-1")
        )
        assert (remembered.problems, remembered.devices) == (fresh.problems, fresh.devices)


def test_a_document_read_as_a_whole_and_one_read_device_by_device_make_one_plan() -> None:
    twice = spoilt(DOCUMENT, ("devices", 9, "id"), "8")
    for document in (DOCUMENT, twice, spoilt(twice, ("devices", 3, "tags"), "none"), {**DOCUMENT, "devices": []}):
        read = read_document(json.dumps(document).encode(), expected_edge_ids=None)
        replanner = Replanner(PlanOptions("edge-1"))
        by_device = planned(document, replanner)
        assert by_device == plan_document(read, PlanOptions("edge-1"))
        assert replanner.plan(read) == by_device
        assert all(old is new for old, new in zip(by_device.devices, replanner.plan(read).devices, strict=True))


def test_devices_that_did_not_change_keep_their_very_plans_and_paths_are_those_of_now() -> None:
    replanner = Replanner(PlanOptions("edge-1"))
    first = planned(DOCUMENT, replanner)
    changed = spoilt(DOCUMENT, ("devices", 7, "tags", 0, "scale"), 3)
    second = planned(changed, replanner)
    assert [old is new for old, new in zip(first.devices, second.devices, strict=True)].count(False) == 1
    bad = spoilt(DOCUMENT, ("devices", 7, "tags", 0, "scale"), 0)
    for devices, path in ((bad["devices"], "devices[7]"), (bad["devices"][1:], "devices[6]")):
        problems = planned({**DOCUMENT, "devices": devices}, replanner).problems
        assert f"{path}.tags[0].scale" in [problem.path for problem in problems]
