"""The OPC-UA simulator, read by our driver, from the document that it comes with."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import orjson
import pytest

from protocols.base import Cycle, DataType, TagSpec
from protocols.errors import ConnectFailed, NoAnswer, SessionLost
from protocols.opcua.driver import OpcUaDriver
from protocols.opcua.session import OpcUaSession
from protocols.quality import Quality
from simulators.commands import run_opcua
from simulators.opcua import OpcUaPlc, demo_device, demo_layout

DRIVER = OpcUaDriver()


@pytest.fixture
async def plc() -> AsyncIterator[OpcUaPlc]:
    async with OpcUaPlc(demo_layout()) as plc:
        yield plc


def _device(plc: OpcUaPlc) -> Any:
    return orjson.loads(orjson.dumps(demo_device(plc.host, plc.port)))


def _tags(device: Any) -> list[TagSpec]:
    return [
        TagSpec(
            tag["name"],
            tag["address"],
            DataType(tag["data_type"]),
            subscribe=tag.get("mode") == "subscribe",
            interval_ms=200,
        )
        for tag in device["tags"]
    ]


async def _cycle(session: OpcUaSession, connection: Any, tags: list[TagSpec]) -> Cycle:
    cycle: Cycle = Cycle([None] * len(tags))
    for request in DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in tags]):
        await session.read(request, cycle)
    return cycle


async def test_every_tag_of_the_document_has_a_value_of_its_type(plc: OpcUaPlc) -> None:
    device = _device(plc)
    tags = _tags(device)
    connection = DRIVER.connection(device["connection"], 3)
    session = await DRIVER.connect(connection)
    try:
        cycle = await _cycle(session, connection, tags)
        assert cycle.bad == {}
        values = dict(zip([tag.name for tag in tags], cycle.values, strict=True))
        assert values["비상정지"] is False
        assert len(values["valves"]) == 6  # type: ignore[arg-type]
        assert isinstance(values["bottles"], int)
        assert isinstance(values["recipe"], str)
        (temperature,) = [tag for tag in tags if tag.name == "product_temperature"]
        async with asyncio.timeout(5):
            while (await _cycle(session, connection, [temperature])).values == [values["product_temperature"]]:
                await asyncio.sleep(0.02)
        await _check_setpoint(plc, session, connection)
        await _check_faults(plc, session, connection, temperature)
    finally:
        await session.close()
    plc.faults.dead = True
    with pytest.raises(ConnectFailed, match="refused the connection"):
        await DRIVER.connect(connection)
    plc.faults.clear()
    await (await DRIVER.connect(connection)).close()


async def _check_setpoint(plc: OpcUaPlc, session: OpcUaSession, connection: Any) -> None:
    spec = TagSpec("setpoint", "ns=2;s=Filler.SpeedSetpoint", DataType.FLOAT64, scale=Decimal(1))
    await session.write(DRIVER.encode(connection, DRIVER.point(spec, connection), 250))
    assert await plc.peek("Filler.SpeedSetpoint") == 250.0
    await session.write(DRIVER.encode(connection, DRIVER.point(spec, connection), 999))
    async with asyncio.timeout(5):
        while await plc.peek("Filler.SpeedSetpoint") != 300.0:
            await asyncio.sleep(0.02)


async def _check_faults(plc: OpcUaPlc, session: OpcUaSession, connection: Any, tag: TagSpec) -> None:
    for fault, quality in (("bad", Quality.DEVICE_ERROR), ("uncertain", Quality.UNCERTAIN)):
        plc.faults.order(fault)
        async with asyncio.timeout(5):
            while (await _cycle(session, connection, [tag])).bad != {0: quality}:
                await asyncio.sleep(0.02)
        plc.faults.clear()
    brief = DRIVER.connection({"host": plc.host, "port": plc.port}, 0.1)
    plc.faults.silent = True
    with pytest.raises(NoAnswer):
        await _cycle(session, brief, [tag])
    plc.faults.dead = True
    with pytest.raises(SessionLost):
        await _cycle(session, connection, [tag])
    plc.faults.clear()


async def test_the_command_says_where_it_is_and_ends_when_told() -> None:
    lines: list[str] = []
    stop = asyncio.Event()

    def echo(line: str) -> None:
        lines.append(line)
        stop.set()

    await asyncio.wait_for(run_opcua(echo=echo, port=0, faults=["slow_s=0.01"], stop=stop), 20)
    assert "OPC-UA server at opc.tcp://127.0.0.1:" in lines[0]
