"""The simulated PLC before an independent judge: pymodbus, and raw sockets where pymodbus is too polite."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from pymodbus.client import AsyncModbusTcpClient

from simulators.modbus import Cell, Kind, ModbusPlc, Order, Record, Table, Unit, demo_layout, row_of
from simulators.signals import Constant, Setpoint, Unique
from tests.doubles.modbus_clients import RawModbus, judge, raw_connection

LAYOUT = {
    1: Unit(
        (
            *row_of(Table.HOLDING, 0, [Constant(number) for number in range(100)]),
            Cell(Table.HOLDING, 100, Constant(25.4), Kind.FLOAT32, Order.CDAB),
            Cell(Table.HOLDING, 110, Constant("프레스"), Kind.STRING, length=10),
            Cell(Table.INPUT, 0, Unique(base=1, stride=10), Kind.UINT32),
        ),
        memory={
            Table.HOLDING: (range(200, 330),),
            Table.COIL: (range(0, 20),),
            Table.DISCRETE: (range(0, 3),),
        },
    ),
    2: Unit((Cell(Table.INPUT, 0, Unique(base=2, stride=10), Kind.UINT32),)),
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


async def test_registers_and_bits_are_read(plc: ModbusPlc) -> None:
    plc.poke(1, Table.DISCRETE, 1, [1])
    async with judge(plc) as client:
        assert (await client.read_holding_registers(0, count=100)).registers == list(range(100))
        assert (await client.read_discrete_inputs(0, count=3)).bits[:3] == [False, True, False]
        words = (await client.read_holding_registers(100, count=2)).registers
        value = client.convert_from_registers(words, client.DATATYPE.FLOAT32, word_order="little")
        assert value == pytest.approx(25.4)
        words = (await client.read_holding_registers(110, count=5)).registers
        assert client.convert_from_registers(words, client.DATATYPE.STRING) == "프레스"


async def test_writes_are_kept(plc: ModbusPlc) -> None:
    async with judge(plc) as client:
        assert not (await client.write_register(200, 4660)).isError()
        assert not (await client.write_registers(201, list(range(123)))).isError()
        assert not (await client.write_coil(3, True)).isError()
        assert not (await client.write_coils(5, [True, False, True] * 4)).isError()
        assert (await client.read_holding_registers(200, count=3)).registers == [4660, 0, 1]
        bits = (await client.read_coils(0, count=20)).bits[:20]
    assert bits == [False] * 3 + [True, False] + [True, False, True] * 4 + [False] * 3
    assert [seen.request.function for seen in plc.record.writes] == [6, 16, 5, 15]


async def test_what_is_not_there_is_exception_2_and_an_absent_unit_11(plc: ModbusPlc) -> None:
    async with judge(plc) as client:
        assert (await client.read_holding_registers(99, count=4)).exception_code == 2
        assert (await client.write_register(0, 1)).exception_code == 2
        assert (await client.read_holding_registers(0, count=1, device_id=9)).exception_code == 11
    assert plc.record.exceptions == {2: 2, 11: 1}


async def test_unknown_functions_are_exception_1(raw: RawModbus) -> None:
    raw.ask(bytes.fromhex("2b0e0100"))
    assert (await raw.frame())[3] == b"\xab\x01"


async def test_every_read_is_unique_and_tells_its_unit(plc: ModbusPlc) -> None:
    async def values(client: AsyncModbusTcpClient, unit: int) -> list[int]:
        answers = [await client.read_input_registers(0, count=2, device_id=unit) for _ in range(50)]
        return [answer.registers[0] << 16 | answer.registers[1] for answer in answers]

    async with judge(plc) as one, judge(plc) as two:
        of_one, of_two = await asyncio.gather(values(one, 1), values(two, 2))
    assert {value % 10 for value in of_one} == {1}
    assert {value % 10 for value in of_two} == {2}
    assert sorted(value // 10 for value in of_one + of_two) == list(range(1, 101))
    seen = {entry.read: entry.unit for entry in plc.record.reads}
    assert all(seen[value // 10] == value % 10 for value in of_one + of_two)


async def test_it_records_what_it_saw(plc: ModbusPlc) -> None:
    before = time.monotonic()
    async with judge(plc) as client:
        await client.read_holding_registers(0, count=10)
        await client.read_coils(2, count=5)
        assert plc.open_connections == 1
    record = plc.record
    assert (record.connections, record.requests, record.by_function) == (1, 2, {3: 1, 1: 1})
    assert record.ranges() == [range(0, 10), range(2, 7)]
    first, second = record.arrivals(unit=1)
    assert before <= first <= second <= time.monotonic()
    plc.record = Record()
    async with judge(plc) as client:
        await client.read_coils(0, count=1)
    assert plc.record.requests == 1


async def test_pipelined_requests_are_all_answered_in_order(raw: RawModbus) -> None:
    for transaction in range(8):
        raw.ask(READ_10, transaction=transaction)
    assert [(await raw.frame())[0] for _ in range(8)] == list(range(8))


@pytest.mark.parametrize("head", ["000100010006010300000001", "0001000000010103", "0001000000ff0103"])
async def test_what_is_no_frame_ends_the_connection(plc: ModbusPlc, raw: RawModbus, head: str) -> None:
    raw.writer.write(bytes.fromhex(head))
    assert await asyncio.wait_for(raw.reader.read(), 5) == b""
    assert plc.record.malformed == 1


async def test_a_port_that_is_taken_is_named(plc: ModbusPlc) -> None:
    with pytest.raises(OSError, match=rf"can not listen on 127.0.0.1:{plc.port}: .*choose another one"):
        await ModbusPlc(LAYOUT, port=plc.port).__aenter__()


async def test_the_press_line_can_be_read_and_set() -> None:
    async with ModbusPlc(demo_layout()) as plc, judge(plc) as client:
        assert 2240 <= 10 * (await client.read_holding_registers(0, count=1)).registers[0] <= 2840
        await client.write_register(61, 99)
        assert (await client.read_holding_registers(61, count=1)).registers == [60]
        text = (await client.read_holding_registers(38, count=10)).registers
        assert client.convert_from_registers(text, client.DATATYPE.STRING) == "김철수"


async def test_a_setpoint_reads_back_what_was_written() -> None:
    layout = {1: Unit((Cell(Table.HOLDING, 0, Setpoint(1.5), Kind.FLOAT32, Order.BADC),))}
    async with ModbusPlc(layout) as plc, judge(plc) as client:
        await client.write_registers(0, [0x2842, 0x0000])  # 42.0, bytes swapped
        assert plc.peek(1, Table.HOLDING, 0, 2) == [0x2842, 0]
