"""What the simulated PLC can be ordered to do wrong, and that it does exactly that."""

import asyncio
import contextlib
import struct
import time
from collections.abc import AsyncIterator

import pytest
from pymodbus.exceptions import ModbusIOException

from simulators.modbus import Cell, ModbusPlc, Table, Unit, row_of
from simulators.signals import Constant
from tests.doubles.modbus_clients import RawModbus, judge, raw_connection

LAYOUT = {
    1: Unit(
        (
            *row_of(Table.HOLDING, 0, [Constant(number) for number in range(100)]),
            Cell(Table.INPUT, 0, Constant(1)),
        ),
        memory={Table.COIL: (range(0, 20),)},
    ),
    2: Unit((Cell(Table.INPUT, 0, Constant(2)),)),
}
READ_10 = bytes.fromhex("030000000a")


@pytest.fixture
async def plc() -> AsyncIterator[ModbusPlc]:
    async with ModbusPlc(LAYOUT) as running:
        yield running


@pytest.fixture
async def raw(plc: ModbusPlc) -> AsyncIterator[RawModbus]:
    async with raw_connection(plc) as client:
        yield client


async def test_dead_and_alive_again_on_the_same_port(plc: ModbusPlc, raw: RawModbus) -> None:
    port = plc.port
    plc.faults.dead = True
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(raw.reader.read(), 5) == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    plc.faults.dead = False
    assert plc.port == port
    async with judge(plc) as client:
        assert not (await client.read_coils(0, count=1)).isError()


async def test_a_closed_plc_does_not_rise_when_its_fault_heals() -> None:
    async with ModbusPlc(LAYOUT) as plc:
        plc.faults.dead = True
    plc.faults.clear()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", plc.port)


async def test_silent_and_silent_units(plc: ModbusPlc) -> None:
    plc.faults.silent_units = {2}
    async with judge(plc, timeout=0.1) as client:
        assert not (await client.read_input_registers(0, count=1, device_id=1)).isError()
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=1, device_id=2)
        plc.faults.silent = True
        with pytest.raises(ModbusIOException):
            await client.read_input_registers(0, count=1, device_id=1)
    assert plc.record.requests == 3


async def test_slow(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.slow_s = 0.15
    began = time.monotonic()
    raw.ask(READ_10)
    await raw.frame()
    assert time.monotonic() - began >= 0.15


async def test_late_answers_come_just_before_the_next(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.late = True
    raw.ask(READ_10, transaction=1)
    assert await raw.is_silent()
    raw.ask(READ_10, transaction=2)
    assert [(await raw.frame())[0], (await raw.frame())[0]] == [1, 2]


async def test_answers_that_belong_to_no_request(plc: ModbusPlc, raw: RawModbus) -> None:
    async def answer() -> tuple[int, int, int, bytes]:
        raw.ask(READ_10, transaction=7)
        return await raw.frame()

    good = await answer()
    assert good[:3] == (7, 23, 1)
    plc.faults.wrong_transaction = True
    assert (await answer())[0] == 8
    plc.faults.clear()
    plc.faults.wrong_unit = True
    assert (await answer())[2] == 2
    plc.faults.clear()
    plc.faults.wrong_function = True
    assert (await answer())[3] == b"\x04" + good[3][1:]
    plc.faults.clear()
    plc.faults.fewer = True
    assert (await answer())[3] == b"\x03\x12" + good[3][2:-2]
    plc.faults.clear()
    assert await answer() == good


async def test_a_length_that_lies(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.wrong_length = 5
    raw.ask(READ_10)
    header = await asyncio.wait_for(raw.reader.readexactly(7 + 22), 5)
    assert header[4:6] == (23 + 5).to_bytes(2, "big")
    assert await raw.is_silent()


async def test_half_a_frame_then_nothing_or_the_end(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.half_frame = True
    raw.ask(READ_10)
    assert len(await asyncio.wait_for(raw.reader.readexactly(14), 5)) == 14
    assert await raw.is_silent()
    plc.faults.clear()
    plc.faults.half_and_close = True
    raw.ask(READ_10)
    assert len(await asyncio.wait_for(raw.reader.read(), 5)) == 14


async def test_a_byte_at_a_time(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.drip_s = 0.002
    raw.ask(READ_10)
    pieces: list[bytes] = []
    while sum(map(len, pieces)) < 29:
        pieces.append(await asyncio.wait_for(raw.reader.read(100), 5))
    assert len(pieces) > 5
    assert b"".join(pieces)[7:] == b"\x03\x14" + struct.pack(">10H", *range(10))


async def test_garbage_is_no_answer(plc: ModbusPlc, raw: RawModbus) -> None:
    plc.faults.garbage = True
    raw.ask(READ_10)
    found = await asyncio.wait_for(raw.reader.read(400), 5)
    assert found
    assert not found.startswith(b"\0\1\0\0\0\x17\1")


async def test_refusals_on_request(plc: ModbusPlc) -> None:
    async with judge(plc) as client:
        plc.faults.bad_addresses = {5}
        assert (await client.read_holding_registers(0, count=6)).exception_code == 2
        assert not (await client.read_holding_registers(0, count=5)).isError()
        plc.faults.exception = 4
        assert (await client.read_holding_registers(0, count=5)).exception_code == 4
        plc.faults.busy = True
        assert (await client.read_holding_registers(0, count=5)).exception_code == 6


async def test_a_limit_on_connections(plc: ModbusPlc) -> None:
    plc.faults.connection_limit = 1
    async with judge(plc) as first:
        assert not (await first.read_coils(0, count=1)).isError()
        reader, writer = await asyncio.open_connection(plc.host, plc.port)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        assert not (await first.read_coils(0, count=1)).isError()
    assert (plc.record.connections, plc.record.turned_away) == (1, 1)


async def test_a_dropped_connection_may_come_again(plc: ModbusPlc, raw: RawModbus) -> None:
    raw.ask(READ_10)
    await raw.frame()
    plc.drop_connections()
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(raw.reader.read(), 5) == b""
    async with judge(plc) as client:
        assert not (await client.read_coils(0, count=1)).isError()
