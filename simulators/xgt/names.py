"""Variable names as they stand in frames: ``%DW100``, ``%MX2764``, ``%TX5``."""

import re
from dataclasses import dataclass

from simulators.xgt.families import Family
from simulators.xgt.naks import Nak, NakCode

SIZES = {"X": 1, "B": 1, "W": 2, "D": 4, "L": 8}
"""Bytes of data that a variable of each letter has in a frame."""

_NAME = re.compile(rb"%([A-Z])([A-Z])([0-9]+)([0-9A-F]?)")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable is: from `byte` of a device on, or the `bit` of that byte, or a `contact` by its number."""

    device: str
    letter: str
    byte: int
    bit: int | None = None
    contact: int | None = None


def place_of(name: bytes, family: Family) -> Place:
    """Find a variable. Raises `Nak` for a name that is none, and for a device that the family lacks."""
    found = _NAME.fullmatch(name)
    if found is None:
        raise Nak(NakCode.NAME_LENGTH)
    device, letter, digits = found[1].decode(), found[2].decode(), (found[3] + found[4]).decode()
    if device not in family.sizes:
        raise Nak(NakCode.NO_SUCH_DEVICE)
    if letter not in SIZES:
        raise Nak(NakCode.DATA_TYPE)
    if letter == "X":
        return _bit(device, digits, family)
    if not digits.isdigit():
        raise Nak(NakCode.NAME_LENGTH)
    return Place(device, letter, int(digits) * SIZES[letter])


def _bit(device: str, digits: str, family: Family) -> Place:
    if family.hex_bits and device in "PMLKF":
        word, bit = int(digits[:-1] or "0"), int(digits[-1], 16)
    elif not digits.isdigit():
        raise Nak(NakCode.NAME_LENGTH)
    elif device in "TC":
        return Place(device, "X", 0, contact=int(digits))
    else:
        word, bit = divmod(int(digits), 16)
    return Place(device, "X", 2 * word + bit // 8, bit % 8)
