"""Modbus addresses as people write them, and back."""

import re
from dataclasses import dataclass

from protocols.base import Register
from protocols.errors import Refused
from protocols.grammars import MODBUS_CLASSIC, MODBUS_NAMED

ADDRESSES = 65_536
"""Each of the four tables has as many."""

_AREA_DIGITS = {
    "0": Register.COIL,
    "1": Register.DISCRETE,
    "3": Register.INPUT,
    "4": Register.HOLDING,
}
_AREA_LETTERS = {
    "C": Register.COIL,
    "DI": Register.DISCRETE,
    "IR": Register.INPUT,
    "HR": Register.HOLDING,
}
_DIGIT_OF = {area: digit for digit, area in _AREA_DIGITS.items()}
_LETTERS_OF = {area: letters for letters, area in _AREA_LETTERS.items()}
_TABLES = {
    Register.COIL: "coils",
    Register.DISCRETE: "discrete inputs",
    Register.INPUT: "input registers",
    Register.HOLDING: "holding registers",
}
_BARE = re.compile(r"(?P<number>\d{1,5})(?:\.(?P<bit>\d{1,2}))?", re.ASCII)
_EXPECTED = "five or six digits like 40001 or 400001 (one-based), or HR0, IR0, DI0, C0 (zero-based)"


@dataclass(frozen=True, slots=True)
class ModbusAddress:
    """A table, a zero-based address in it, and for registers maybe a bit, 0 the least."""

    area: Register
    offset: int
    bit: int | None = None


def is_bits(area: Register) -> bool:
    """Whether the table holds single bits."""
    return area in (Register.COIL, Register.DISCRETE)


def parse_address(text: str, register: Register | None = None) -> ModbusAddress:
    """The place that an address names. With `register` it is a bare zero-based number in that table.

    Raises `Refused` on ``address``.
    """
    text = text.strip()
    address = _in_table(text, register) if register is not None else _anywhere(text)
    if address.offset < 0:
        first = f"{_DIGIT_OF[address.area]}0001 or {_LETTERS_OF[address.area]}0"
        raise Refused("address", f"{text!r} is before the first of the {_TABLES[address.area]}, which is {first}")
    if address.offset >= ADDRESSES:
        raise Refused("address", f"{text!r} is outside the table, which has {ADDRESSES} addresses")
    if address.bit is None:
        return address
    if is_bits(address.area):
        raise Refused("address", f"{text!r} names a bit of one of the {_TABLES[address.area]}, which are bits already")
    if address.bit > 15:
        raise Refused("address", f"{text!r} names bit {address.bit}; a register has the bits 0 to 15")
    return address


def range_name(area: Register, offset: int, size: int) -> str:
    """Addresses for messages, one-based as in manuals: ``holding registers 40001-40125``."""
    last = offset + size
    digits = 4 if last <= 9999 else 5
    first_name, last_name = (f"{_DIGIT_OF[area]}{number:0{digits}d}" for number in (offset + 1, last))
    return f"{_TABLES[area]} {first_name}" + (f"-{last_name}" if size > 1 else "")


def _in_table(text: str, register: Register) -> ModbusAddress:
    found = _BARE.fullmatch(text)
    if not found:
        raise Refused(
            "address",
            f"{text!r} can not be read; beside register: {register} a zero-based number from 0 to 65535 is expected",
        )
    return ModbusAddress(register, int(found["number"]), _bit(found))


def _anywhere(text: str) -> ModbusAddress:
    if found := MODBUS_CLASSIC.fullmatch(text):
        return ModbusAddress(_AREA_DIGITS[found["area"]], int(found["number"]) - 1, _bit(found))
    if found := MODBUS_NAMED.fullmatch(text):
        return ModbusAddress(_AREA_LETTERS[found["area"].upper()], int(found["number"]), _bit(found))
    if (found := _BARE.fullmatch(text)) and len(found["number"]) <= 4:
        raise Refused("address", _which_of(text, int(found["number"])))
    raise Refused("address", f"{text!r} is no Modbus address; expected {_EXPECTED}")


def _which_of(text: str, number: int) -> str:
    meant = f"HR{number} if it counts from zero"
    if number:
        meant = f"4{number:04d} if it counts from one, {meant}"
    return (
        f"{text!r} does not say which table it is in; for a holding register write {meant}; "
        "or set register to holding, input, coil or discrete"
    )


def _bit(found: re.Match[str]) -> int | None:
    return None if found["bit"] is None else int(found["bit"])
