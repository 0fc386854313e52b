"""A test read: what was typed, what the bytes can mean, and a real device asked."""

import io
import re
import struct
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from collector.cli.decodings import as_bytes, decodings, hex_words, is_plausible, texts
from collector.cli.read import Asked, _read, neighbour, parse_asked, read_addresses
from protocols.base import ByteOrder, DataType, Scalar
from protocols.registry import driver
from tests.doubles.modbus_device import ModbusDevice
from tests.doubles.s7_device import S7Device


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("40001", Asked("40001", None)),
        ("40001:REAL", Asked("40001", DataType.FLOAT32)),
        ("40041:STRING:16", Asked("40041", DataType.STRING, 16)),
        ("DB1.STRING10.20:STRING", Asked("DB1.STRING10.20", DataType.STRING)),
        ("ns=2;s=a:b", Asked("ns=2;s=a:b", None)),
        ("ns=2;s=a:7", Asked("ns=2;s=a:7", None)),
        ("ns=2;s=a:b:INT16", Asked("ns=2;s=a:b", DataType.INT16)),
        ("disk./.percent", Asked("disk./.percent", None)),
    ],
)
def test_what_was_typed(typed: str, asked: Asked) -> None:
    assert parse_asked(typed) == asked


@pytest.mark.parametrize(
    ("address", "beside"),
    [
        ("40001", ("40000", "40002")), ("00001", ("00000", "00002")), ("HR0", (None, "HR1")), ("40001.3", (None, None)),
        ("DB1.DBW2", ("DB1.DBW1", "DB1.DBW3")), ("%DW100", ("%DW99", "%DW101")), ("ns=2;i=5", (None, None)),
        ("uptime", (None, None)),
    ],
)  # fmt: skip
def test_neighbours_are_written_the_same_way(address: str, beside: tuple[str | None, str | None]) -> None:
    assert (neighbour(address, -1), neighbour(address, 1)) == beside


def values(raw: bytes) -> dict[tuple[DataType, ByteOrder], Scalar]:
    return {(each.data_type, order): value for each in decodings(raw) for order, value in each.values.items()}


def test_every_type_in_every_order() -> None:
    found = values(struct.pack(">f", 25.4) + b"\x12\x34\xff\xff")
    assert found[DataType.FLOAT32, ByteOrder.ABCD] == 25.4
    assert values(struct.pack("<f", 25.4))[DataType.FLOAT32, ByteOrder.DCBA] == 25.4
    assert values(b"\x99\x9a\x41\xcb")[DataType.FLOAT32, ByteOrder.CDAB] == 25.45
    assert values(b"\x12\x34")[DataType.BCD16, ByteOrder.ABCD] == 1234
    assert values(b"\x12\x34")[DataType.BCD16, ByteOrder.BADC] == 3412
    assert (DataType.BCD16, ByteOrder.ABCD) not in values(b"\x12\x3a")
    assert (DataType.INT32, ByteOrder.ABCD) not in values(b"\x12\x34")
    assert [is_plausible(value) for value in (25.4, 0.0, 2.4e-38, 1e30, 10**18, True)] == [
        True, True, False, False, True, True,
    ]  # fmt: skip


@given(st.binary(min_size=2, max_size=8).filter(lambda raw: len(raw) % 2 == 0))
def test_any_bytes_have_meanings_that_agree(raw: bytes) -> None:
    found = values(raw)
    assert found[DataType.UINT16, ByteOrder.ABCD] == int.from_bytes(raw[:2], "big")
    assert found[DataType.INT16, ByteOrder.DCBA] == int.from_bytes(raw[:2], "little", signed=True)
    assert as_bytes([int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]) == raw
    assert bytes.fromhex(hex_words(raw)) == raw
    assert all(text.isprintable() for text in texts(raw).values())


def test_texts_in_either_encoding_and_either_way_round() -> None:
    assert texts("프레스".encode("cp949"))["cp949"] == "프레스"
    assert texts("프레".encode())["utf-8"] == "프레"
    assert texts(b"DOLE1-")["utf-8 swapped"] == "ODEL-1"
    assert texts(b"\x01\x02") == {}


@pytest.fixture
async def plc() -> AsyncIterator[ModbusDevice]:
    device = ModbusDevice()
    await device.start()
    yield device
    await device.stop()


async def shown(plc: ModbusDevice, *typed: str) -> tuple[int, str]:
    """The exit status and all that was printed."""
    modbus = driver("modbus_tcp")
    console = Console(file=io.StringIO(), width=80, soft_wrap=True)
    connection = modbus.connection({"host": "127.0.0.1", "port": plc.port}, 3)
    status = await _read(modbus, connection, [parse_asked(each) for each in typed], console)
    assert isinstance(console.file, io.StringIO)
    return status, console.file.getvalue()


async def test_a_device_is_read_with_its_neighbours(plc: ModbusDevice) -> None:
    plc.words[3].update({9: 777, 10: 0x41CB, 11: 0x3333, 12: 0, 13: 0})
    status, text = await shown(plc, "HR10:FLOAT32", "HR9")
    assert status == 0
    assert "HR10  41CB 3333 0000 0000" in text
    assert "25.4" in text.split("FLOAT32")[1]
    assert "4740939326873927680" in text
    assert [beside in text for beside in ("HR9 ", "HR11 ", "HR8 ")] == [True] * 3
    assert "…" not in text


async def test_a_type_that_no_table_has_is_shown_as_it_was_believed(plc: ModbusDevice) -> None:
    plc.words[3].update({9: 0x01FE, 10: 0})
    status, text = await shown(plc, "HR9:INT8", "HR10:BOOL", "HR9:STRING:1", "HR9:DTL")
    assert status == 0
    assert "as INT8: -2\n" in text
    assert "as BOOL: False\n" in text
    assert "as STRING: '\\x01'" in text
    assert "as DTL: DTL is a type of Siemens S7" in text


async def test_a_text_without_a_length_is_told_how_to_write_it_and_costs_the_others_nothing(plc: ModbusDevice) -> None:
    status, text = await shown(plc, "HR9:STRING", "C0")
    assert status == 0
    assert "as STRING: a STRING needs its length in bytes; write HR9:STRING:16 for 16 of them\n" in text
    assert "C0  False" in text


async def test_what_says_its_type_itself_is_not_taken_for_a_register() -> None:
    machine = driver("host")
    console = Console(file=io.StringIO(), width=80, soft_wrap=True)
    asked = [parse_asked("uptime"), parse_asked("load.1")]
    assert await _read(machine, machine.connection({}, 3), asked, console) == 0
    assert isinstance(console.file, io.StringIO)
    assert re.fullmatch(r"uptime  \d+\nload\.1  \d+\.\d+\n", console.file.getvalue())


@pytest.mark.parametrize("typed", ["DB1.STRING0.4", "DB1.STRING0.4:STRING"])
async def test_a_text_in_the_address_needs_neither_type_nor_length(typed: str) -> None:
    device = S7Device()
    device.put(0, b"\x04\x02ABCD")
    await device.start()
    s7 = driver("s7")
    console = Console(file=io.StringIO(), width=80, soft_wrap=True)
    connection = s7.connection({"host": "127.0.0.1", "port": device.port}, 3)
    assert await _read(s7, connection, [parse_asked(typed)], console) == 0
    await device.stop()
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue() == "DB1.STRING0.4  'AB'\n"


async def test_the_end_of_the_table_is_read_as_far_as_it_goes(plc: ModbusDevice) -> None:
    plc.words[3][65535] = 0x0102
    plc.missing.add(5)
    status, text = await shown(plc, "HR65535", "HR4")
    assert status == 0
    assert "HR65535  0102\n" in text
    assert "HR4  0000\n" in text


async def test_what_is_refused_costs_itself(plc: ModbusDevice) -> None:
    plc.missing.add(5)
    plc.words[3][7] = 8
    status, text = await shown(plc, "HR5", "100", "HR7.3:BOOL", "C0")
    assert status == 1
    assert "illegal data address" in text
    assert "'100' does not say which table" in text
    assert "HR7.3  True" in text
    assert "C0  False" in text


def test_nothing_is_asked_of_nobody() -> None:
    console = Console(file=io.StringIO(), soft_wrap=True)
    assert read_addresses("modbus_tcp", {"host": None}, ["40001"], 1, console) == 2
    assert read_addresses("telepathy", {}, ["40001"], 1, console) == 2
    assert read_addresses("host", {}, ["uptime", "cpu.percent:FLOAT64"], 1, console) == 0
    assert isinstance(console.file, io.StringIO)
    assert "connection.host is missing" in console.file.getvalue()
    assert "uptime  " in console.file.getvalue()
