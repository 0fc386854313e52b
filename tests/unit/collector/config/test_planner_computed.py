"""Computed tags, texts for values, and what is published, from the document into the plan."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config.plan import Deadband, DevicePlan, Labels, OnChange
from tests.unit.collector.config.test_planner import device, plan_of, problems, tag


def computed(name: str, expression: str, **fields: object) -> dict[str, object]:
    return {"name": name, "expression": expression, **fields}


def steps(plan: DevicePlan) -> list[tuple[str, list[str]]]:
    """The computed tags in their order, with their inputs, by name."""
    return [(plan.names[each.tag], [plan.names[tag] for tag in each.inputs]) for each in plan.computed]


def test_computed_tags_stand_where_the_document_has_them_and_come_after_their_inputs() -> None:
    tags = [
        computed("both", "[twice a] + b"),
        tag("a", "40001"),
        computed("twice a", "a * 2"),
        tag("b", "40002", interval_ms=5000),
    ]
    plan = plan_of(device(tags=tags))
    [planned] = plan.devices
    assert plan.problems == ()
    assert planned.names == ("both", "a", "twice a", "b")
    assert steps(planned) == [("twice a", ["a"]), ("both", ["twice a", "b"])]
    assert [group.tags for group in planned.groups] == [(1,), (3,)]
    assert planned == plan_of(device(tags=tags)).devices[0]
    assert planned != plan_of(device(tags=[computed("both", "[twice a] - b"), *tags[1:]])).devices[0]


@pytest.mark.parametrize(
    ("tags", "path", "words"),
    [
        ([computed("x", "x + a")], "tags[1].expression", "computed from itself: x from x"),
        ([computed("x", "a +")], "tags[1].expression", "found the end"),
        ([computed("x", "b + a")], "tags[1].expression", "there is no tag 'b'"),
        ([computed("x", "1 + 1")], "tags[1].expression", "names no tag of the device"),
        ([computed("x", "a", scale=0.1)], "tags[1].scale", "scale is 0.1, but the tag is computed"),
        ([computed("x", "a", offset="-5")], "tags[1].offset", "offset is -5, but the tag is computed"),
        ([tag("s", "40005", "STRING", length=4), computed("x", "s + 1")], "tags[2].expression", "'s' is a STRING"),
        ([tag("s", "40005", "INT16", length=4), computed("x", "s + 1")], "tags[2].expression", "'s' is an array"),
    ],
)
def test_what_can_not_be_computed_costs_itself_and_says_where(
    tags: list[dict[str, object]], path: str, words: str
) -> None:
    plan = plan_of(device(tags=[tag("a", "40001"), *tags]))
    [problem] = plan.problems
    assert problem.path == f"devices[0].{path}"
    assert words in problem.message
    assert "x" not in plan.devices[0].names
    assert plan.devices[0].names[0] == "a"


def test_a_circle_is_named_and_costs_all_that_hangs_on_it() -> None:
    tags = [
        tag("a", "40001"), computed("p", "q + a"), computed("q", "r"), computed("r", "p"), computed("behind", "p + a"),
        computed("well", "a"),
    ]  # fmt: skip
    plan = plan_of(device(tags=tags))
    assert plan.devices[0].names == ("a", "well")
    said = {problem.path: problem.message for problem in plan.problems}
    assert said["devices[0].tags[1].expression"] == "it is computed from itself: p from q from r from p"
    assert said["devices[0].tags[4].expression"] == "it is computed from 'p', which has no value itself"
    assert len(said) == 4


def test_what_hangs_on_a_refused_tag_is_refused_as_well() -> None:
    plan = plan_of(device(tags=[tag("a", "oops"), tag("b", "40002"), computed("x", "a"), computed("y", "x + b")]))
    assert plan.devices[0].names == ("b",)
    assert problems(plan)[1:] == [
        ("devices[0].tags[2].expression", "bad_expression"),
        ("devices[0].tags[3].expression", "bad_expression"),
    ]


def test_a_device_of_computed_tags_alone_has_nothing_to_poll() -> None:
    plan = plan_of(device(tags=[computed("x", "y"), computed("y", "1")]))
    assert problems(plan) == [("devices[0].tags", "bad_tags")]


def test_an_address_beside_an_expression_is_not_used_and_said_so() -> None:
    plan = plan_of(device(tags=[tag("a", "40001"), computed("x", "a", address="nonsense", data_type="NONSENSE")]))
    assert plan.problems == ()
    assert [remark.path for remark in plan.remarks] == ["devices[0].tags[1].address"]


@given(st.permutations(range(12)))
def test_any_order_of_the_document_computes_in_order(order: list[int]) -> None:
    chain = [tag("t0", "40001"), *(computed(f"t{n}", f"t{n - 1} + t0") for n in range(1, 12))]
    [planned] = plan_of(device(tags=[chain[n] for n in order])).devices
    assert planned.names == tuple(f"t{n}" for n in order)
    seen = {"t0"}
    for name, inputs in steps(planned):
        assert seen.issuperset(inputs)
        seen.add(name)
    assert len(seen) == 12


def test_a_long_chain_and_a_long_circle_are_planned_in_no_time() -> None:
    chain = [tag("t0", "40001"), *(computed(f"t{n}", f"t{n - 1}") for n in range(1, 5000))]
    circle = [computed(f"c{n}", f"c{(n + 1) % 5000}") for n in range(5000)]
    began = time.monotonic()
    plan = plan_of(device(tags=[*chain, *circle]))
    assert time.monotonic() - began < 10
    assert len(plan.devices[0].computed) == 4999
    assert len(plan.problems) == 5000


def test_texts_and_deadbands_find_their_tags() -> None:
    tags = [
        tag("bad", "oops", value_map={"0": "STOP"}, deadband=1),
        tag("mode", "40001", value_map={"0": "STOP", "1": "AUTO"}),
        tag("level", "40002", deadband=0.5, deadband_percent="2"),
    ]
    [planned] = plan_of(device(tags=tags, publish="ON-CHANGE", publish_max_sec=30)).devices
    assert planned.labels == (Labels(0, (("0", "STOP"), ("1", "AUTO"))),)
    assert planned.on_change == OnChange(30.0, (("level", Deadband(Decimal("0.5"), Decimal(2))),))
    assert plan_of(device(tags=tags)).devices[0].on_change is None


def test_a_figure_of_the_gateway_needs_no_data_type() -> None:
    host: dict[str, object] = {"id": "gw", "protocol": "host", "tags": [{"name": "cpu", "address": "cpu.percent"}]}
    plan = plan_of(host)
    assert plan.problems == ()
    assert plan.devices[0].connection.link == ("host",)
