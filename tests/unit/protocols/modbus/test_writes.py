"""Which order writes which value, and what of a register is left alone."""

import pytest

from protocols.base import ByteOrder, DataType, Register, TagSpec, Value
from protocols.errors import Unwritable
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.writes import ModbusWrite

DRIVER = ModbusTcpDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7", "unit_id": 3}, 3)


def write(value: Value, address: str, data_type: DataType = DataType.UINT16, **more: object) -> ModbusWrite:
    tag = TagSpec("t", address, data_type, **more)  # type: ignore[arg-type]
    return DRIVER.encode(CONNECTION, DRIVER.point(tag, CONNECTION), value)


@pytest.mark.parametrize(
    ("written", "pdu"),
    [
        (write(7, "HR1"), "0600010007"),
        (write(True, "HR1", DataType.BOOL), "0600010001"),
        (write(1, "HR1", DataType.UINT32, byte_order=ByteOrder.CDAB), "100001000204 00010000"),
        (write([1, 2], "HR1", length=2), "100001000204 00010002"),
        (write("ab", "HR1", DataType.STRING, length=4), "100001000204 61620000"),
        (write(True, "C2", DataType.BOOL), "050002ff00"),
        (write([True, False, True], "C2", DataType.BOOL, length=3), "0f0002000301 05"),
    ],
)  # fmt: skip
def test_orders(written: ModbusWrite, pdu: str) -> None:
    assert written.order.pdu == bytes.fromhex(pdu)
    assert written.patch is None
    assert written.order.unit == 3


@pytest.mark.parametrize(
    ("written", "asks", "held", "pdu"),
    [
        (write(True, "HR1.0", DataType.BOOL), "0300010001", "abcc", "060001 abcd"),
        (write(False, "HR1.15", DataType.BOOL), "0300010001", "abcd", "060001 2bcd"),
        (write(True, "HR1.0", DataType.BOOL, byte_order=ByteOrder.DCBA), "0300010001", "00ff", "060001 01ff"),
        (write(-2, "HR1", DataType.INT8), "0300010001", "abcd", "060001 abfe"),
        (write([1, 2], "HR1", DataType.UINT8, length=2), "0300010002", "aaaabbbb", "100001000204 aa01bb02"),
        (write("abc", "HR1", DataType.STRING, length=3), "0300010002", "01020304", "100001000204 61626304"),
        (write("abc", "HR1", DataType.STRING, length=3, byte_order=ByteOrder.BADC), "0300010002", "01020304",
         "100001000204 62610363"),
    ],
)  # fmt: skip
def test_what_is_only_part_of_a_register_leaves_the_rest_as_it_is(
    written: ModbusWrite, asks: str, held: str, pdu: str
) -> None:
    assert written.patch
    assert written.patch.before.pdu == bytes.fromhex(asks)
    assert written.onto(written.patch, bytes.fromhex(held)).pdu == bytes.fromhex(pdu)


@pytest.mark.parametrize(
    ("address", "data_type", "more", "value", "code", "message"),
    [
        ("30001", DataType.UINT16, {}, 1, "not_writable", "input registers 30001 can not be written"),
        ("DI0", DataType.BOOL, {}, True, "not_writable", "discrete inputs 10001 can not be written"),
        ("HR0", DataType.UINT16, {"length": 124}, [0] * 124, "not_writable", "one request writes 123 at most"),
        ("0", DataType.BOOL, {"length": 1969, "register": Register.COIL}, [False] * 1969, "not_writable", "1968 at"),
        ("HR0", DataType.UINT16, {}, 65536, "out_of_range", "UINT16"),
        ("HR0.3", DataType.BOOL, {}, 2, "wrong_type", "no BOOL"),
        ("C0", DataType.BOOL, {}, "on", "wrong_type", "no BOOL"),
    ],
)
def test_what_can_not_be_written(
    address: str, data_type: DataType, more: dict[str, object], value: Value, code: str, message: str
) -> None:
    with pytest.raises(Unwritable, match=message) as caught:
        write(value, address, data_type, **more)
    assert caught.value.code == code


def test_the_subject_names_the_addresses_and_the_unit() -> None:
    assert write(7, "40002").subject == "holding registers 40002 of unit 3"
