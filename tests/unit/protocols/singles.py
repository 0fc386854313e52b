"""Doubles rounded to 32 bits, for tests."""

import struct
from collections.abc import Sequence


def singles(numbers: Sequence[float]) -> list[float]:
    """Each number as the nearest 32-bit float holds it."""
    return [struct.unpack("f", struct.pack("f", number))[0] for number in numbers]


def from_bits(bits: int) -> float:
    """The 32-bit float with these bits."""
    (number,) = struct.unpack("<f", bits.to_bytes(4, "little"))
    return float(number)
