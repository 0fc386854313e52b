"""Modbus against a server that is not of our making."""

import asyncio
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pymodbus import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType as SimType
from pymodbus.simulator import SimData, SimDevice

from protocols.base import Cycle, DataType, Register, TagSpec, Value
from protocols.errors import RequestRefused
from protocols.quality import Quality
from protocols.registry import driver
from tests.contract.bench import Judge, Reader

FRAMERS = {"modbus_tcp": FramerType.SOCKET, "modbus_rtu_tcp": FramerType.RTU}


@asynccontextmanager
async def judge(*registers: SimData, framer: FramerType = FramerType.SOCKET) -> AsyncIterator[int]:
    """A pymodbus server with unit 1; its four tables are apart, bits are at odd addresses set."""
    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)
    coils = [SimData(0, values=[bool(i % 2) for i in range(2008)], datatype=SimType.BITS)]
    tables = (coils, coils, list(registers), list(registers))
    server = ModbusTcpServer(SimDevice(id=1, simdata=tables), framer=framer, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    try:
        assert isinstance(server.transport, asyncio.Server)
        yield server.transport.sockets[0].getsockname()[1]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def reading(port: int, protocol: str = "modbus_tcp") -> AsyncIterator[Reader]:
    modbus = driver(protocol)
    reader = Reader(Judge(modbus), modbus.connection({"host": "127.0.0.1", "port": port}, 3))
    await reader.open()
    try:
        yield reader
    finally:
        await reader.session.close()


async def read(port: int, *tags: TagSpec) -> Cycle:
    async with reading(port) as reader:
        return await reader.read(*tags)


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


@pytest.mark.parametrize("protocol", FRAMERS)
async def test_reads_and_writes_in_both_frames(protocol: str) -> None:
    registers = SimData(0, values=list(range(1000)), datatype=SimType.REGISTERS)
    one, many = TagSpec("one", "40001", DataType.INT16), TagSpec("many", "HR100", DataType.UINT16, length=123)
    bit, coil = TagSpec("bit", "HR300.15", DataType.BOOL), TagSpec("coil", "C0", DataType.BOOL)
    coils = TagSpec("coils", "C8", DataType.BOOL, length=9)
    values: list[Value] = [-2, [*range(7000, 7123)], True, True, [True] * 9]
    async with judge(registers, framer=FRAMERS[protocol]) as port, reading(port, protocol) as reader:
        thousand = await reader.read(*(TagSpec(f"t{i}", f"HR{i}", DataType.UINT16) for i in range(1000)))
        for tag, value in zip((one, many, bit, coil, coils), values, strict=True):
            await reader.write(tag, value)
        after = await reader.read(one, many, bit, coil, coils, TagSpec("word", "HR300", DataType.UINT16))
    assert thousand.values == list(range(1000))
    assert after.values == [*values, 300 | 1 << 15]
