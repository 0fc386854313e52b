"""From a document to a plan: what is polled, what is refused, and where the document says so."""

import ipaddress
import json
import time
from typing import Any

import pytest

from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from fleet_client.reading import read_document
from protocols import registry
from protocols.base import PlcDriver
from protocols.opcua.points import Watch

OPTIONS = PlanOptions(edge_id="edge-1")


def device(**fields: object) -> dict[str, object]:
    return {
        "id": "1",
        "name": "CASE프레스_PLC_01",
        "protocol": "modbus_tcp",
        "connection": {"host": "192.168.1.10", "port": 502, "unit_id": 1},
        "interval_ms": 1000,
        "tags": [tag("temperature", "40001")],
        **fields,
    }


def tag(name: str, address: object, data_type: object = "UINT16", **fields: object) -> dict[str, object]:
    return {"name": name, "address": address, "data_type": data_type, **fields}


def plan_of(*devices: dict[str, object], options: PlanOptions = OPTIONS) -> Plan:
    body = json.dumps({"version": "v1", "edge_id": "edge-1", "devices": devices}).encode()
    return plan_document(read_document(body, expected_edge_ids=["edge-1"]), options)


def problems(plan: Plan) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in plan.problems]


def test_the_contracts_document_speaks_modbus_on_the_xgt_port() -> None:
    press = device(protocol="plc_ethernet", connection={"host": "192.168.1.10", "port": 2004, "unit_id": 1})
    plan = plan_of(press)
    [planned] = plan.devices
    assert planned.protocol == "modbus_tcp"
    assert planned.connection.link == ("modbus_tcp", "192.168.1.10", 2004)
    assert planned.connection_id == 1
    assert [(remark.path, "2004" in remark.message) for remark in plan.remarks] == [("devices[0].protocol", True)]
    assert planned.doubt is not None
    assert (planned.doubt.protocol, planned.doubt.remark) == ("xgt", plan.remarks[0].message)
    assert planned.doubt.connection is not None
    assert planned.doubt.connection.link == ("xgt", "192.168.1.10", 2004)


@pytest.mark.parametrize("field", ["host", "port"])
@pytest.mark.parametrize("protocol", ["modbus_tcp", "plc_ethernet", "s7", "opcua"])
def test_a_number_of_5_000_digits_costs_its_device_only(protocol: str, field: str) -> None:
    spoilt = device(protocol=protocol, connection={"host": "192.168.1.10", field: "1" * 5_000})
    plan = plan_of(spoilt, device(id="2"))
    assert [planned.id for planned in plan.devices] == ["2"]
    assert problems(plan) == [(f"devices[0].connection.{field}", f"bad_{field}")]


def test_what_a_driver_did_not_foresee_costs_its_device_only() -> None:
    def driver_of(protocol: str) -> PlcDriver:
        if protocol == "s7":
            raise ZeroDivisionError("canary")
        return registry.driver(protocol)

    options = PlanOptions(edge_id="edge-1", driver_of=driver_of)
    plan = plan_of(device(protocol="s7"), device(id="2"), options=options)
    assert [planned.id for planned in plan.devices] == ["2"]
    assert [(idle.id, idle.reason) for idle in plan.idle] == [("1", "can not be planned: ZeroDivisionError")]
    assert problems(plan) == [("devices[0]", "internal")]


def test_a_thousand_registers_are_eight_requests() -> None:
    plan = plan_of(device(tags=[tag(f"r{n}", 40001 + n) for n in range(1000)]))
    assert len(plan.devices[0].groups[0].requests) == 8


def test_tags_of_other_intervals_are_groups_of_their_own() -> None:
    tags = [tag("slow", "40001", interval_ms=5000), tag("a", "40002"), tag("b", "40003")]
    [planned] = plan_of(device(tags=tags)).devices
    assert planned.names == ("slow", "a", "b")
    assert [(group.interval_ms, group.tags) for group in planned.groups] == [(1000, (1, 2)), (5000, (0,))]


def watch_of(plan: Plan) -> list[object]:
    return [
        getattr(point, "watch", None) for device in plan.devices for group in device.groups for point in group.points
    ]


def opcua(**fields: object) -> dict[str, object]:
    tags = [
        tag("speed", "ns=2;s=Speed", "FLOAT64", mode="subscribe", deadband=0.5, interval_ms=250),
        tag("state", "ns=2;s=State", "INT32", mode="subscribe"),
        tag("level", "ns=2;s=Level", "FLOAT64", deadband=0.5),
    ]
    return device(protocol="opcua", connection={"host": "192.168.1.10"}, tags=tags, **fields)


def test_a_subscription_is_asked_for_with_the_tags_interval_or_else_the_devices() -> None:
    plan = plan_of(opcua(interval_ms=2000))
    assert watch_of(plan) == [Watch(2000), None, Watch(250)]
    assert plan.remarks == ()


def test_the_server_is_told_the_deadband_only_where_only_changes_are_published() -> None:
    assert watch_of(plan_of(opcua(publish="on_change"))) == [Watch(1000), None, Watch(250, 0.45)]
    assert watch_of(plan_of(opcua(publish="every_poll"))) == [Watch(1000), None, Watch(250)]


@pytest.mark.parametrize(
    ("more", "others"),
    [
        ({"thresholds": {"high": 80}}, []),
        ({"deadband_percent": 1}, []),
        ({}, [{"name": "twice", "expression": "[speed] * 2"}]),
        ({}, [{"name": "half", "expression": "1 +"}, {"name": "twice", "expression": "speed * 2"}]),
    ],
)
def test_the_server_keeps_nothing_back_of_what_an_alarm_or_an_expression_must_see(
    more: dict[str, object], others: list[dict[str, object]]
) -> None:
    def speed(**fields: object) -> dict[str, object]:
        return tag("speed", "ns=2;s=Speed", "FLOAT64", mode="subscribe", deadband=0.5, **fields)

    plain = device(protocol="opcua", connection={"host": "10.0.0.1"}, publish="on_change", tags=[speed()])
    assert watch_of(plan_of(plain)) == [Watch(1000, 0.45)]
    assert watch_of(plan_of(plain | {"tags": [speed(**more), *others]})) == [Watch(1000)]


def test_what_can_not_be_subscribed_is_polled_and_that_is_remarked() -> None:
    tags = [tag("a", "40001"), tag("b", "40002", mode="subscribe"), tag("typo", "4000l", mode="subscribe")]
    plan = plan_of(device(tags=tags))
    assert plan.devices[0].names == ("a", "b")
    assert [remark.path for remark in plan.remarks] == ["devices[0].tags[1].mode"]
    assert "modbus_tcp knows no subscriptions: the tag is polled" in plan.remarks[0].message


def test_one_bad_tag_costs_that_tag_and_says_where() -> None:
    tags = [
        tag("good", "40001"),
        tag("typo", "4000l"),
        tag("kind", "40002", "UINT17"),
        tag("order", "40003", byte_order="ACBD"),
        tag("typeless", "40004", None),
        tag("encoded", "40005", "STRING", length=4, encoding="klingon"),
        {"name": "computed", "expression": "typo * 2"},
    ]
    plan = plan_of(device(tags=tags))
    assert plan.devices[0].names == ("good",)
    assert problems(plan) == [
        ("devices[0].tags[1].address", "bad_address"),
        ("devices[0].tags[2].data_type", "bad_data_type"),
        ("devices[0].tags[3].byte_order", "bad_byte_order"),
        ("devices[0].tags[4].data_type", "bad_data_type"),
        ("devices[0].tags[5].encoding", "bad_encoding"),
        ("devices[0].tags[6].expression", "bad_expression"),
    ]


def test_paths_are_those_of_the_document_also_behind_what_was_refused_before() -> None:
    broken: dict[str, Any] = {"id": "0", "protocol": None}
    tags = [tag("a", "40001", scale=0), tag("b", "oops"), tag("c", "40003")]
    plan = plan_of(broken, device(tags=tags))
    assert ("devices[1].tags[1].address", "bad_address") in problems(plan)
    assert plan.devices[0].names == ("c",)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"protocol": "profinet"}, "devices[0].protocol"),
        ({"connection": {}}, "devices[0].connection.host"),
        ({"connection": {"host": "h", "port": 70000}}, "devices[0].connection.port"),
        ({"connection": {"host": "169.254.169.254"}}, "devices[0].connection.host"),
        ({"connection": {"host": "::ffff:169.254.169.254"}}, "devices[0].connection.host"),
        ({"connection": {"host": "224.0.0.1"}}, "devices[0].connection.host"),
        ({"connection": {"host": "255.255.255.255"}}, "devices[0].connection.host"),
        ({"tags": []}, "devices[0].tags"),
    ],
)
def test_one_bad_device_costs_that_device(fields: dict[str, object], path: str) -> None:
    plan = plan_of(device(**fields), device(id="2"))
    assert [planned.id for planned in plan.devices] == ["2"]
    assert [idle.id for idle in plan.idle] == ["1"]
    assert plan.idle[0].reason
    assert path in [found for found, _ in problems(plan)]


def test_devices_outside_the_sites_networks_are_refused() -> None:
    options = PlanOptions(edge_id="edge-1", device_networks=(ipaddress.ip_network("192.168.1.0/24"),))
    plan = plan_of(device(), device(id="2", connection={"host": "10.0.0.1"}), options=options)
    assert [planned.id for planned in plan.devices] == ["1"]
    assert problems(plan) == [("devices[1].connection.host", "bad_host")]


def test_a_device_switched_off_is_idle_without_a_reason() -> None:
    plan = plan_of(device(enabled="N"), device(id="2"))
    assert [(idle.id, idle.reason) for idle in plan.idle] == [("1", None)]
    assert not plan.problems


def test_equal_documents_make_equal_plans_whatever_their_version() -> None:
    [one] = plan_of(device(tags=[tag("a", "40001"), tag("f", "40010", "FLOAT32", scale=0.1)])).devices
    [two] = plan_of(device(tags=[tag("a", 40001), tag("f", "40010", "float32", scale="0.10")])).devices
    [other] = plan_of(device(tags=[tag("a", "40001"), tag("f", "40010", "FLOAT32", scale=0.2)])).devices
    assert one == two
    assert one != other


def test_ten_thousand_tags_are_planned_within_a_second() -> None:
    devices = [
        device(id=str(d), tags=[tag(f"r{n}", 40001 + n, "FLOAT32", scale=0.1) for n in range(0, 2000, 2)])
        for d in range(10)
    ]
    started = time.process_time()
    plan = plan_of(*devices)
    assert time.process_time() - started < 3.0, "1 s is what `make bench` asks; this guards against the quadratic"
    assert plan.tag_count == 10_000


def test_a_device_refused_while_reading_is_shown_as_refused() -> None:
    plan = plan_of(device(interval_ms=5), device(id="2"), {"name": "없음"}, device(id="3", protocol=None))
    assert [planned.id for planned in plan.devices] == ["2"]
    assert [(idle.id, idle.name) for idle in plan.idle] == [("1", "CASE프레스_PLC_01"), ("3", "CASE프레스_PLC_01")]
    assert plan.idle[0].reason is not None
    assert plan.idle[0].reason.startswith("devices[0].interval_ms: ")


def test_a_password_of_nobody_is_remarked_and_the_device_is_polled() -> None:
    fields = {"host": "10.0.0.1", "password": "canary-secret"}
    plan = plan_of(device(protocol="opcua", connection=fields, tags=[tag("a", "ns=2;s=A", "FLOAT64")]))
    assert [planned.name for planned in plan.devices] == ["CASE프레스_PLC_01"]
    assert [(remark.path, "connection.username" in remark.message) for remark in plan.remarks] == [
        ("devices[0].connection", True)
    ]
    assert "canary" not in str(plan.remarks)
