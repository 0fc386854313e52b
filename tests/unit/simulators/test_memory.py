import pytest

from simulators.modbus import Cell, Kind, Table, Unit, row_of
from simulators.modbus.functions import ModbusError, parse
from simulators.modbus.memory import Memory
from simulators.signals import Constant, Moment, Setpoint, Unique

NOW = Moment(0, 1)


def test_what_no_range_names_does_not_exist() -> None:
    memory = Memory(Unit(memory={Table.HOLDING: (range(10, 20), range(30, 31))}))
    assert memory.read(Table.HOLDING, 10, 10, NOW) == [0] * 10
    for address, count in ((9, 1), (10, 11), (19, 2), (31, 1)):
        with pytest.raises(ModbusError) as refusal:
            memory.read(Table.HOLDING, address, count, NOW)
        assert refusal.value.code == 2
    with pytest.raises(ModbusError):
        memory.read(Table.INPUT, 10, 1, NOW)


def test_a_value_can_be_read_in_part() -> None:
    memory = Memory(Unit((Cell(Table.INPUT, 4, Constant(0x12345678), Kind.UINT32),)))
    assert memory.read(Table.INPUT, 4, 2, NOW) == [0x1234, 0x5678]
    assert memory.read(Table.INPUT, 5, 1, NOW) == [0x5678]
    assert memory.read(Table.INPUT, 4, 1, NOW) == [0x1234]


def test_all_cells_of_one_read_see_the_same_moment() -> None:
    memory = Memory(Unit(row_of(Table.HOLDING, 0, [Unique(1, 100), Unique(2, 100)])))
    assert memory.read(Table.HOLDING, 0, 2, Moment(0, 7)) == [701, 702]


def test_a_write_is_kept_or_refused_as_a_whole() -> None:
    memory = Memory(Unit(row_of(Table.HOLDING, 0, [Setpoint(5), Setpoint(6), Constant(7)])))
    memory.write(Table.HOLDING, 0, [50, 60])
    with pytest.raises(ModbusError):
        memory.write(Table.HOLDING, 1, [61, 70])
    assert memory.read(Table.HOLDING, 0, 3, NOW) == [50, 60, 7]


def test_a_setpoint_outside_its_limits_is_clamped() -> None:
    cells = (Cell(Table.HOLDING, 0, Setpoint(1.5, 0, 10), Kind.FLOAT32), Cell(Table.COIL, 0, Setpoint(True)))
    memory = Memory(Unit(cells))
    assert memory.read(Table.HOLDING, 0, 2, NOW) == [0x3FC0, 0]
    memory.write(Table.HOLDING, 0, [0x42C8, 0])  # 100.0
    assert memory.read(Table.HOLDING, 0, 2, NOW) == [0x4120, 0]  # 10.0
    memory.write(Table.COIL, 0, [0])
    assert memory.read(Table.COIL, 0, 1, NOW) == [0]


def test_cells_that_overlap_are_a_mistake_in_the_layout() -> None:
    with pytest.raises(ValueError, match="share holding address 1"):
        Memory(Unit((Cell(Table.HOLDING, 0, Constant(0), Kind.UINT32), Cell(Table.HOLDING, 1, Constant(0)))))


@pytest.mark.parametrize(
    ("pdu", "code"),
    [
        ("07", 1),
        ("2b0e0100", 1),
        ("03", 3),
        ("0300000000", 3),
        ("030000007e", 3),
        ("01000007d1", 3),
        ("030000000100", 3),
        ("03ffff0002", 2),
        ("0500001234", 3),
        ("0f0000000902ff", 3),
        ("10000000010400010002", 3),
    ],
)
def test_bad_requests_get_the_exception_that_fits(pdu: str, code: int) -> None:
    with pytest.raises(ModbusError) as refusal:
        parse(bytes.fromhex(pdu), Unit())
    assert refusal.value.code == code


def test_a_small_plc_refuses_long_reads() -> None:
    small = Unit(max_registers=32, max_bits=64)
    assert parse(bytes.fromhex("0300000020"), small).count == 32
    with pytest.raises(ModbusError):
        parse(bytes.fromhex("0300000021"), small)
    with pytest.raises(ModbusError):
        parse(bytes.fromhex("0200000041"), small)
