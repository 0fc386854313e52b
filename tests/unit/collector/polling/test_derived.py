"""Computed tags and texts, from the plan into the scan."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config.expression import parse_expression
from collector.config.plan import ComputedTag, DevicePlan, Labels
from collector.polling.derived import Derivation, Row
from protocols.base import Value
from protocols.errors import NoAnswer
from protocols.quality import Quality
from tests.doubles.driver import ScriptedDriver
from tests.doubles.plans import device_plan, plan_of
from tests.unit.collector.polling.test_supervisor import Hall


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    async with hall.supervisor:
        yield hall


def with_computed(plan: DevicePlan, **expressions: str) -> DevicePlan:
    """The plan with computed tags behind the others; each may use those before it."""
    names = (*plan.names, *expressions)
    computed = []
    for name, text in expressions.items():
        expression = parse_expression(text)
        inputs = tuple(names.index(each) for each in expression.names)
        computed.append(ComputedTag(names.index(name), inputs, expression))
    return replace(plan, names=names, computed=tuple(computed))


def rows_of(plan: DevicePlan, *rows: Row) -> dict[int, Row]:
    """What a cycle gives that read these rows."""
    given_rows = dict(enumerate(rows))
    Derivation(plan).complete(given_rows)
    return given_rows


async def test_a_scan_holds_what_was_computed_of_it(hall: Hall) -> None:
    plan = with_computed(device_plan(hall.driver, [3, 4]), sum="t3 + t4", larger="sum > t3", half="sum / 2")
    hall.supervisor.apply(plan_of(plan))
    await asyncio.sleep(0.5)
    scan = hall.scans["1"][0]
    assert scan.names == ("t3", "t4", "sum", "larger", "half")
    assert scan.values == [3, 4, 7, True, 3.5]
    assert scan.bad == {}


async def test_a_computed_tag_is_due_when_the_groups_of_all_its_inputs_are(hall: Hall) -> None:
    plan = device_plan(hall.driver, [1], slow=[50], slow_ms=3000)
    hall.supervisor.apply(plan_of(with_computed(plan, fast="t1 * 2", slow="t50 + 1", both="fast + slow")))
    await asyncio.sleep(3.5)
    assert [scan.names for scan in hall.scans["1"]] == [
        ("t1", "t50", "fast", "slow", "both"), ("t1", "fast"), ("t1", "fast"), ("t1", "t50", "fast", "slow", "both"),
    ]  # fmt: skip
    assert hall.scans["1"][0].values == [1, 50, 2, 51, 53]


async def test_it_is_missing_for_the_reason_that_its_input_is(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.unreadable = {2}
    hall.supervisor.apply(plan_of(with_computed(device_plan(hall.driver, [1, 2]), a="t1 + 1", b="t2 + 1", c="a / 0")))
    await asyncio.sleep(0.5)
    scan = hall.scans["1"][0]
    assert scan.values == [1, None, 2, None, None]
    assert scan.bad == {1: Quality.BAD_ADDRESS, 3: Quality.BAD_ADDRESS, 4: Quality.NOT_A_NUMBER}
    assert "c not_a_number" in (hall.board.devices["1"].error or "")

    device.break_reads = NoAnswer("plc did not answer")
    await asyncio.sleep(1)
    assert set(hall.scans["1"][1].bad.values()) == {Quality.TIMEOUT}
    assert len(hall.scans["1"][1].bad) == 5


@given(st.lists(st.sampled_from([None, *Quality]), min_size=3, max_size=3))
def test_as_bad_as_the_worst_input(qualities: list[Quality | None]) -> None:
    plan = with_computed(device_plan(ScriptedDriver(), [1, 2, 3]), x="t1 + t2 if true else t3")
    has_value = (None, Quality.UNCERTAIN)
    rows = rows_of(plan, *(Row(1 if quality in has_value else None, quality) for quality in qualities))
    if set(qualities) <= set(has_value):
        assert rows[3] == Row(2, Quality.UNCERTAIN if Quality.UNCERTAIN in qualities else None)
    else:
        assert rows[3].value is None
        assert rows[3].quality in qualities
        assert rows[3].quality is not Quality.UNCERTAIN


@pytest.mark.parametrize("value", ["AUTO", [1, 2]])
def test_what_turns_out_to_be_no_number_is_not_reckoned_with(value: Value) -> None:
    plan = with_computed(device_plan(ScriptedDriver(), [1]), x="t1 + 1")
    assert rows_of(plan, Row(value))[1] == Row(None, Quality.NOT_A_NUMBER)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "STOP"), (0.0, "STOP"), (False, "STOP"), ("0", "STOP"), (1, "AUTO"), (True, "AUTO"), (2, 2), (0.5, "HALF"),
        (-3, "FAULT"), ("X", "SET-UP"), ("Y", "Y"), ([0, 2, [1]], ["STOP", 2, ["AUTO"]]),
    ],
)  # fmt: skip
def test_values_are_replaced_by_their_texts_and_others_stay(value: Value, text: Value) -> None:
    texts = (("0", "STOP"), (" 1 ", "AUTO"), ("0.50", "HALF"), ("-3", "FAULT"), ("X", "SET-UP"))
    plan = replace(device_plan(ScriptedDriver(), [1]), labels=(Labels(0, texts),))
    assert rows_of(plan, Row(value))[0].value == text
    assert rows_of(plan, Row(None, Quality.TIMEOUT))[0] == Row(None, Quality.TIMEOUT)
    assert rows_of(plan, Row(value, Quality.UNCERTAIN))[0] == Row(text, Quality.UNCERTAIN)


def test_flags_have_texts_by_either_name() -> None:
    plan = replace(device_plan(ScriptedDriver(), [1]), labels=(Labels(0, (("true", "ON"), ("False", "OFF"))),))
    assert rows_of(plan, Row(True))[0].value == "ON"
    assert rows_of(plan, Row(0))[0].value == "OFF"


def test_computed_tags_reckon_with_numbers_and_may_have_texts_themselves() -> None:
    plan = with_computed(device_plan(ScriptedDriver(), [1]), running="t1 == 1")
    plan = replace(plan, labels=(Labels(0, (("1", "AUTO"),)), Labels(1, (("1", "RUNNING"),))))
    assert rows_of(plan, Row(1)) == {0: Row("AUTO"), 1: Row("RUNNING")}


async def test_a_scan_holds_the_texts(hall: Hall) -> None:
    plan = replace(device_plan(hall.driver, [0, 1]), labels=(Labels(0, (("0", "정지"),)),))
    hall.supervisor.apply(plan_of(plan))
    await asyncio.sleep(0.5)
    assert hall.scans["1"][0].values == ["정지", 1]
