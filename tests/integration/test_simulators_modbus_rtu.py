"""The simulated PLC's serial face before an independent judge: pymodbus, on a serial line and on TCP."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator

import pytest
from pymodbus import FramerType
from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.exceptions import ModbusIOException

from simulators.modbus import ModbusPlc, RtuFraming, Table, Unit, row_of
from simulators.signals import Constant

Client = AsyncModbusSerialClient | AsyncModbusTcpClient
LAYOUT = {
    1: Unit(
        row_of(Table.HOLDING, 0, [Constant(number) for number in range(125)]),
        memory={Table.HOLDING: (range(200, 330),), Table.COIL: (range(20),)},
    )
}


@pytest.fixture(params=["serial", "tcp"])
async def plc(request: pytest.FixtureRequest) -> AsyncIterator[ModbusPlc]:
    async with ModbusPlc(LAYOUT, framing=RtuFraming(), serial=request.param == "serial") as running:
        yield running


@contextlib.asynccontextmanager
async def judge(plc: ModbusPlc, timeout: float = 5.0) -> AsyncIterator[Client]:
    client: Client
    if plc.serial_port:
        client = AsyncModbusSerialClient(plc.serial_port, framer=FramerType.RTU, timeout=timeout, retries=0)
    else:
        client = AsyncModbusTcpClient(plc.host, port=plc.port, framer=FramerType.RTU, timeout=timeout, retries=0)
    assert await client.connect()
    try:
        yield client
    finally:
        client.close()


async def write_until_it_fails(descriptor: int) -> None:
    """Write a byte now and then to a line; raises what the line raises."""
    while os.write(descriptor, b"x"):
        await asyncio.sleep(0.01)


async def test_reads_and_writes(plc: ModbusPlc) -> None:
    async with judge(plc) as client:
        assert (await client.read_holding_registers(0, count=125)).registers == list(range(125))
        assert not (await client.write_register(200, 4660)).isError()
        assert not (await client.write_registers(201, list(range(123)))).isError()
        assert not (await client.write_coil(3, True)).isError()
        assert not (await client.write_coils(5, [True, False, True] * 4)).isError()
        assert (await client.read_holding_registers(200, count=3)).registers == [4660, 0, 1]
        assert (await client.read_holding_registers(124, count=2)).exception_code == 2
    assert [seen.request.function for seen in plc.record.writes] == [6, 16, 5, 15]


async def test_an_absent_unit_is_silent_and_the_line_goes_on(plc: ModbusPlc) -> None:
    async with judge(plc, timeout=0.1) as client:
        with pytest.raises(ModbusIOException):
            await client.read_coils(0, count=1, device_id=9)
        assert not (await client.read_coils(0, count=1)).isError()


async def test_a_wrong_checksum_is_no_answer(plc: ModbusPlc) -> None:
    plc.faults.wrong_checksum = True
    async with judge(plc, timeout=0.1) as client:
        with pytest.raises(ModbusIOException):
            await client.read_coils(0, count=1)
        plc.faults.clear()
        assert not (await client.read_coils(0, count=1)).isError()


async def test_a_line_that_is_pulled_out_ends_and_may_come_back() -> None:
    async with ModbusPlc(LAYOUT, serial=True) as plc:
        near = os.open(plc.serial_port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        plc.faults.dead = True
        with pytest.raises(OSError, match="Input/output error"):
            await asyncio.wait_for(write_until_it_fails(near), 5)
        os.close(near)
        plc.faults.clear()
        async with asyncio.timeout(5), judge(plc) as client:
            assert not (await client.read_coils(0, count=1)).isError()
