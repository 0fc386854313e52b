"""The demo's machines."""

import re
from dataclasses import replace
from types import TracebackType
from typing import Self

import psutil
import pytest

from collector.cli.demo import child
from collector.cli.demo.child import OpcUaProcess
from collector.cli.demo.hall import EDGE_ID, Hall, units
from collector.cli.demo.machines import MACHINES
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from fleet_client.encoding import encoded
from fleet_client.reading import read_document


class Taken:
    """A simulator whose port is taken."""

    host = ""
    port = 0

    async def __aenter__(self) -> Self:
        raise OSError("port 102 is taken")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise AssertionError("it never started")


def _plan(hall: Hall) -> Plan:
    read = read_document(encoded(hall.document()), expected_edge_ids=[EDGE_ID])
    return plan_document(read, PlanOptions(edge_id=EDGE_ID))


async def test_the_collector_refuses_nothing_of_the_hall_and_every_port_is_told() -> None:
    said: list[str] = []
    async with Hall(said.append) as hall:
        plan = _plan(hall)
    assert (plan.problems, plan.remarks) == ((), ())
    assert [(device.name, device.protocol) for device in plan.devices] == [
        ("CASE프레스_PLC_01", "modbus_tcp"),
        ("공기압축기", "modbus_tcp"),
        ("충전라인_S7_02", "s7"),
        ("조립라인_XGT_03", "xgt"),
        ("음료라인_OPCUA_04", "opcua"),
        ("현장_게이트웨이", "host"),
    ]
    assert len({device.connection.link for device in plan.devices}) == len(plan.devices)
    assert {(device.id, name) for device in plan.devices for name in device.names} == set(units())
    *of_plcs, of_the_gateway = said
    assert [re.sub(r"\d+,", "PORT,", line) for line in of_plcs] == [
        "Modbus TCP   127.0.0.1:PORT, CASE프레스_PLC_01",
        "Modbus TCP   127.0.0.1:PORT, 공기압축기",
        "S7           127.0.0.1:PORT, 충전라인_S7_02",
        "XGT          127.0.0.1:PORT, 조립라인_XGT_03",
        "OPC-UA       127.0.0.1:PORT, 음료라인_OPCUA_04",
    ]
    assert of_the_gateway == "host         this machine, 현장_게이트웨이"


async def test_what_can_not_start_is_told_and_left_out() -> None:
    said: list[str] = []
    press, siemens = MACHINES[0], replace(MACHINES[2], start=Taken)
    async with Hall(said.append, (siemens, press)) as hall:
        plan = _plan(hall)
    assert [device.name for device in plan.devices] == [press.name]
    assert said[0] == "S7           충전라인_S7_02 can not start and is left out: port 102 is taken"


async def test_the_opcua_server_ends_with_its_block() -> None:
    async with OpcUaProcess() as plc:
        servers = [each for each in psutil.Process().children() if "opcua" in each.cmdline()]
        assert len(servers) == 1
        assert plc.port
    assert not servers[0].is_running()


async def test_an_opcua_server_that_ends_at_once_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_COMMAND", ("-c", "raise SystemExit('error: no such library')"))
    with pytest.raises(RuntimeError, match="it ended at once: error: no such library"):
        async with OpcUaProcess():
            pass


async def test_an_opcua_server_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "_COMMAND", ("-c", "input_never_comes = __import__('time').sleep(60)"))
    monkeypatch.setattr(child, "_READY_WITHIN_S", 0.2)
    with pytest.raises(RuntimeError, match=r"it did not listen within 0\.2 s: it said nothing"):
        async with OpcUaProcess():
            pass
    assert not [each for each in psutil.Process().children() if "input_never_comes" in " ".join(each.cmdline())]
