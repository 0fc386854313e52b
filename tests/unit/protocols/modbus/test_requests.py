import time

import pytest

from protocols.base import ByteOrder, Connection, DataType, Driver, Lessons, Point, Register, Request, TagSpec
from protocols.errors import Refused
from protocols.modbus.connection import ModbusTcpConnection
from protocols.modbus.driver import ModbusTcpDriver
from protocols.modbus.points import ModbusPoint
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.writes import ModbusWrite

DRIVER = ModbusTcpDriver()
CONNECTION = DRIVER.connection({"host": "10.0.0.7", "unit_id": 3}, 3)


def tag(address: str, data_type: DataType = DataType.UINT16, **more: object) -> TagSpec:
    return TagSpec("t", address, data_type, **more)  # type: ignore[arg-type]


def requests(*tags: TagSpec, lessons: Lessons | None = None) -> tuple[ModbusRequest, ...]:
    return DRIVER.compile(CONNECTION, [DRIVER.point(each, CONNECTION) for each in tags], lessons or Lessons())


def test_it_is_a_driver() -> None:
    typed: Driver[ModbusTcpConnection, ModbusPoint, ModbusRequest, ModbusWrite] = DRIVER
    connection: Connection = CONNECTION
    point: Point = DRIVER.point(tag("40001"), CONNECTION)
    (request,) = requests(tag("40001"))
    general: Request = request
    assert (typed.protocol, typed.default_port, connection.timeout_s, general.tags) == ("modbus_tcp", 502, 3, (0,))
    assert point == DRIVER.point(tag("HR0"), CONNECTION)


def test_a_thousand_registers_are_eight_requests() -> None:
    asked = requests(*(tag(f"{40001 + i}") for i in range(1000)))
    assert [request.question.pdu.hex() for request in asked] == [f"03{125 * i:04x}007d" for i in range(8)]
    assert asked[1].tags == tuple(range(125, 250))
    assert asked[1].subject == "holding registers 40126-40250 of unit 3"
    assert asked[1].question.byte_count == 250


def test_tables_and_bits_are_apart() -> None:
    asked = requests(
        tag("30001", DataType.FLOAT64),
        tag("40001.3", DataType.BOOL),
        tag("C7", DataType.BOOL),
        tag("C519", DataType.BOOL),
        tag("C2006", DataType.BOOL),
        tag("0", DataType.BOOL, register=Register.DISCRETE, length=2000),
    )
    assert [request.question.pdu.hex() for request in asked] == [
        "0100070201", "0107d60001", "02000007d0", "0300000001", "0400000004",
    ]  # fmt: skip
    assert [request.question.byte_count for request in asked] == [65, 1, 250, 2, 8]


def test_lessons_are_heeded() -> None:
    tags = [tag(f"HR{i}") for i in range(4)]
    asked = requests(*tags, lessons=Lessons(avoid=frozenset({1}), breaks=frozenset({3})))
    assert [request.tags for request in asked] == [(0,), (2,), (3,)]


def test_equal_plans_are_equal() -> None:
    assert requests(tag("40001"), tag("40002")) == requests(tag("HR0"), tag("HR1"))
    assert requests(tag("40001")) != requests(tag("40002"))


def test_ten_thousand_tags_are_planned_in_under_half_a_second() -> None:
    points = [DRIVER.point(tag(f"HR{3 * i}", DataType.FLOAT32), CONNECTION) for i in range(10_000)]
    began = time.process_time()
    DRIVER.compile(CONNECTION, points)
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize(
    ("data_type", "length", "size"),
    [
        (DataType.INT8, None, 1), (DataType.UINT8, 4, 4), (DataType.UINT16, 1, 1), (DataType.INT32, 3, 6),
        (DataType.FLOAT64, None, 4), (DataType.STRING, 5, 3), (DataType.BCD32, None, 2), (DataType.BOOL, None, 1),
    ],
)  # fmt: skip
def test_sizes_in_registers(data_type: DataType, length: int | None, size: int) -> None:
    assert DRIVER.point(tag("40001", data_type, length=length), CONNECTION).size == size


@pytest.mark.parametrize(
    ("spec", "field", "message"),
    [
        (tag("7"), "address", "write 40007"),
        (tag("465536", DataType.UINT32), "address", "past the last of the table"),
        (tag("40001", DataType.STRING), "length", "needs its length in bytes"),
        (tag("40001", DataType.STRING, length=252), "length", "takes 126 registers; one request reads 125 at most"),
        (tag("40001", DataType.FLOAT32, length=63), "length", "takes 126 registers"),
        (tag("C0", DataType.BOOL, length=2001), "length", "takes 2001 bits; one request reads 2000"),
        (tag("C0", DataType.UINT16), "data_type", "a single bit; expected BOOL"),
        (tag("40001.2", DataType.UINT16), "data_type", "one bit of '40001.2'; expected BOOL"),
        (tag("40001", DataType.BOOL, length=4), "length", "one tag a bit"),
        (tag("40001.2", DataType.BOOL, bit=3), "bit", "bit is 3, but the address '40001.2' names bit 2"),
        (tag("C0", DataType.BOOL, bit=0), "bit", "a single bit already"),
        (tag("40001", DataType.BOOL, bit=16), "bit", "has the bits 0 to 15"),
        (tag("40001", DataType.STRING, length=4, encoding="utf-16"), "encoding", "ASCII"),
    ],
)
def test_what_can_not_be_placed_is_refused_by_field(spec: TagSpec, field: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        DRIVER.point(spec, CONNECTION)
    assert caught.value.field == field


def test_a_type_larger_than_the_device_reads_at_once_is_refused() -> None:
    small = DRIVER.connection({"host": "plc", "max_registers": 1}, 3)
    with pytest.raises(Refused, match="takes 2 registers; one request reads 1 at most") as caught:
        DRIVER.point(tag("40001", DataType.UINT32), small)
    assert caught.value.field == "data_type"


@pytest.mark.parametrize("spec", [tag("40001.9", DataType.BOOL), tag("40001.9", DataType.BOOL, bit=9)])
def test_a_bit_may_stand_in_the_address_in_the_field_or_in_both(spec: TagSpec) -> None:
    assert DRIVER.point(spec, CONNECTION) == DRIVER.point(tag("40001", DataType.BOOL, bit=9), CONNECTION)


def test_words_and_letters_name_the_same_orders() -> None:
    words = DRIVER.point(tag("40001", DataType.UINT32, byte_order=ByteOrder.LITTLE_ENDIAN_SWAP), CONNECTION)
    assert words == DRIVER.point(tag("40001", DataType.UINT32, byte_order=ByteOrder.CDAB), CONNECTION)
