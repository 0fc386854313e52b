"""A device whose addresses are of one protocol and whose port is that of another: what its status says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from collector.clock import SystemClock
from collector.config.plan import Plan
from collector.config.planner import PlanOptions, plan_document
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition, DeviceState
from fleet_client.reading import read_document
from protocols import registry
from simulators import modbus, s7, xgt
from simulators.modbus import ModbusPlc
from simulators.s7 import S7Plc
from simulators.xgt import XgtPlc

Plc = ModbusPlc | S7Plc | XgtPlc

PLCS: dict[str, Callable[[], Plc]] = {
    "modbus_tcp": lambda: ModbusPlc(modbus.demo_layout()),
    "s7": lambda: S7Plc(s7.demo_layout()),
    "xgt": lambda: XgtPlc(xgt.demo_memory()),
}


def planned(port: int, address: str) -> Plan:
    """The plan of a device of plc_ethernet with a tag at this address."""
    device = {
        "id": "1",
        "name": "PLC",
        "protocol": "plc_ethernet",
        "connection": {"host": "127.0.0.1", "port": port},
        "interval_ms": 100,
        "timeout_ms": 200,
        "tags": [{"name": "a", "address": address, "data_type": "UINT16"}],
    }
    document = json.dumps({"version": "1", "edge_id": "edge-1", "devices": [device]}).encode()
    return plan_document(read_document(document, expected_edge_ids=None), PlanOptions("edge-1"))


@asynccontextmanager
async def polled(plan: Plan) -> AsyncIterator[DeviceState]:
    """The device's state while it is polled."""
    clock = SystemClock()
    board = Board(clock)
    async with Supervisor(clock=clock, board=board, deliver=lambda scan: None, driver_of=registry.driver) as supervisor:
        supervisor.apply(plan)
        yield board.devices["1"]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("address", "taken", "spoken"),
    [
        ("40001", "modbus_tcp", "xgt"),
        ("40001", "modbus_tcp", "s7"),
        ("D100", "xgt", "modbus_tcp"),
        ("DB1.DBW0", "s7", "xgt"),
    ],
)
async def test_the_status_says_what_answers_and_what_to_set(
    monkeypatch: pytest.MonkeyPatch, address: str, taken: str, spoken: str
) -> None:
    async with PLCS[spoken]() as plc:
        monkeypatch.setitem(registry._PORTS, plc.port, spoken)
        async with polled(planned(plc.port, address)) as state:
            await until(lambda: f"answers as {spoken}" in str(state.error))
            asked = len(plc.record.reads)
            assert state.condition is DeviceCondition.OFFLINE
            assert str(state.error).startswith(f"127.0.0.1:{plc.port}")
            assert f"not as {taken}: set connection.protocol to {spoken}" in str(state.error)
            assert f"port {plc.port} is that of {spoken}" in str(state.remark)
            polls = state.polls
            await until(lambda: state.polls > polls + 8)
            assert f"answers as {spoken}" in str(state.error)
        assert len(plc.record.reads) == asked <= 1
        assert not plc.record.writes


async def test_a_device_that_answers_is_not_probed_and_the_doubt_stays_in_its_remark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with PLCS["modbus_tcp"]() as plc:
        monkeypatch.setitem(registry._PORTS, plc.port, "xgt")
        async with polled(planned(plc.port, "40001")) as state:
            await until(lambda: state.condition is DeviceCondition.ONLINE)
            plc.faults.silent = True
            await until(lambda: state.condition is DeviceCondition.OFFLINE and state.failures > 3)
            assert "answers as" not in str(state.error)
            assert "the addresses are those of modbus_tcp" in str(state.remark)
        assert plc.record.malformed == 0


async def test_a_device_that_was_off_is_probed_when_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async with PLCS["xgt"]() as plc:
        monkeypatch.setitem(registry._PORTS, plc.port, "xgt")
        plc.faults.dead = True
        async with polled(planned(plc.port, "40001")) as state:
            await until(lambda: "refused the connection" in str(state.error))
            assert "answers as" not in str(state.error)
            plc.faults.clear()
            await until(lambda: "answers as xgt" in str(state.error))
