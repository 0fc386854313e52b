import pytest

from protocols.base import Register
from protocols.errors import Refused
from protocols.modbus.addresses import ModbusAddress, parse_address, range_name
from protocols.modbus.driver import ModbusTcpDriver

COIL, DISCRETE, INPUT, HOLDING = Register.COIL, Register.DISCRETE, Register.INPUT, Register.HOLDING


@pytest.mark.parametrize(
    ("text", "area", "offset", "bit"),
    [
        ("40001", HOLDING, 0, None), ("400001", HOLDING, 0, None), ("465536", HOLDING, 65535, None),
        ("30010", INPUT, 9, None), ("00001", COIL, 0, None), ("000001", COIL, 0, None), ("10005", DISCRETE, 4, None),
        ("HR0", HOLDING, 0, None), ("ir7", INPUT, 7, None), ("C0", COIL, 0, None), ("Di65535", DISCRETE, 65535, None),
        ("40001.0", HOLDING, 0, 0), ("300002.15", INPUT, 1, 15), (" HR3.7 ", HOLDING, 3, 7),
    ],
)  # fmt: skip
def test_addresses(text: str, area: Register, offset: int, bit: int | None) -> None:
    assert parse_address(text) == ModbusAddress(area, offset, bit)
    assert ModbusTcpDriver().fits(text)


@pytest.mark.parametrize(("text", "offset", "bit"), [("0", 0, None), ("65535", 65535, None), ("40001", 40001, None)])
@pytest.mark.parametrize("register", list(Register))
def test_beside_register_a_bare_number_counts_from_zero(
    register: Register, text: str, offset: int, bit: int | None
) -> None:
    assert parse_address(text, register) == ModbusAddress(register, offset, bit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("100", "for a holding register write 40100 if it counts from one, HR100 if it counts from zero"),
        ("0", "for a holding register write HR0 if it counts from zero"),
        ("40000", "'40000' is before the first of the holding registers, which is 40001 or HR0"),
        ("000000", "before the first of the coils, which is 00001 or C0"),
        ("465537", "outside the table"),
        ("HR65536", "outside the table"),
        ("20001", "is no Modbus address; expected five or six digits like 40001"),
        ("D100", "is no Modbus address"),
        ("4000001", "is no Modbus address"),
        ("", "is no Modbus address"),
        ("４０００１", "is no Modbus address"),
        ("40001.16", "bit 16; a register has the bits 0 to 15"),
        ("00001.3", "coils, which are bits already"),
    ],
)
def test_what_is_no_address_is_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(Refused, match=message) as caught:
        parse_address(text)
    assert caught.value.field == "address"


@pytest.mark.parametrize("text", ["HR1", "65536", "-1", "1.16", "x"])
def test_beside_register_only_a_bare_number_in_range_will_do(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_address(text, HOLDING)
    assert caught.value.field == "address"


@pytest.mark.parametrize(
    ("area", "offset", "size", "name"),
    [
        (HOLDING, 0, 125, "holding registers 40001-40125"),
        (INPUT, 9, 1, "input registers 30010"),
        (COIL, 9998, 1, "coils 09999"),
        (DISCRETE, 9998, 2, "discrete inputs 109999-110000"),
    ],
)
def test_ranges_are_named_as_in_manuals(area: Register, offset: int, size: int, name: str) -> None:
    assert range_name(area, offset, size) == name
