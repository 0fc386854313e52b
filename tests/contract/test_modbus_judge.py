"""Modbus against a server that is not of our making."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from protocols.base import Cycle, DataType, Register, TagSpec
from protocols.errors import RequestRefused
from protocols.modbus.driver import ModbusTcpDriver
from protocols.quality import Quality

DRIVER = ModbusTcpDriver()


@asynccontextmanager
async def judge(*registers: SimData) -> AsyncIterator[int]:
    """A pymodbus server with unit 1; its four tables are apart, bits are at odd addresses set."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    coils = [SimData(0, values=[bool(i % 2) for i in range(2008)], datatype=SimType.BITS)]
    tables = (coils, coils, list(registers), list(registers))
    server = ModbusTcpServer(SimDevice(id=1, simdata=tables), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        assert isinstance(server.transport, asyncio.Server)
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


async def read(port: int, *tags: TagSpec) -> Cycle:
    connection = DRIVER.connection({"host": "127.0.0.1", "port": port}, 3)
    session = await DRIVER.connect(connection)
    cycle = Cycle([None] * len(tags))
    try:
        for request in DRIVER.compile(connection, [DRIVER.point(tag, connection) for tag in tags]):
            await session.read(request, cycle)
    finally:
        await session.close()
    return cycle


async def test_a_thousand_registers_come_in_order() -> None:
    async with judge(SimData(0, values=list(range(1000)), datatype=SimType.REGISTERS)) as port:
        tags = [TagSpec(f"t{i}", f"{40001 + i}", DataType.UINT16) for i in range(1000)]
        cycle = await read(port, *tags)
    assert cycle.values == list(range(1000))


async def test_every_table_is_read_with_its_own_function() -> None:
    async with judge(SimData(0, values=list(range(100, 200)), datatype=SimType.REGISTERS)) as port:
        cycle = await read(
            port,
            TagSpec("holding", "40008", DataType.UINT16),
            TagSpec("input", "30009", DataType.UINT16),
            TagSpec("coil", "00002", DataType.BOOL),
            TagSpec("discrete", "10001", DataType.BOOL),
            TagSpec("coils", "0", DataType.BOOL, length=2000, register=Register.COIL),
        )
    assert cycle.values == [107, 108, True, False, [bool(i % 2) for i in range(2000)]]


@pytest.mark.parametrize("number", [25.4, -0.001, 1e-40, 3.4028234663852886e38])
async def test_floats(number: float) -> None:
    words = list(struct.unpack(">2H", struct.pack(">f", number)))
    async with judge(SimData(0, values=words, datatype=SimType.REGISTERS)) as port:
        cycle = await read(port, TagSpec("t", "HR0", DataType.FLOAT32))
    (value,) = cycle.values
    assert isinstance(value, float)
    assert struct.pack(">f", value) == struct.pack(">f", number)


async def test_an_address_that_it_does_not_have() -> None:
    async with judge(SimData(0, values=[1, 2, 3], datatype=SimType.REGISTERS)) as port:
        with pytest.raises(RequestRefused, match="illegal data address") as caught:
            await read(port, TagSpec("t", "40009", DataType.UINT16))
    assert caught.value.quality is Quality.BAD_ADDRESS
