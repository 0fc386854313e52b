"""A run of integers as few bytes: steps, or distances from the least, in the narrowest width that holds them.

All low bytes come before all high ones, so that what seldom changes lies together for zlib.
"""

from array import array
from collections.abc import Sequence
from itertools import accumulate, repeat
from operator import add, sub

_CODES = {1: "B", 2: "H", 4: "I", 8: "Q"}
_DISTANCES, _STEPS = 0, 0x80
_SIGNED = 1 << 63


def pack_integers(values: Sequence[int]) -> bytes | None:
    """At least one integer as bytes; None where their range goes beyond 64 bits."""
    least = min(values)
    reach = max(values) - least
    steps = list(map(sub, values[1:], values))
    shortest = min(steps, default=0)
    spread = max(steps, default=0) - shortest
    if steps and spread < reach and -_SIGNED <= shortest < _SIGNED:
        return _packed(_STEPS, (values[0], shortest), steps, spread)
    return _packed(_DISTANCES, (least,), values, reach) if reach < 1 << 64 else None


def unpack_integers(body: bytes) -> list[int]:
    """The integers that were packed."""
    way, width = body[0] & _STEPS, body[0] & ~_STEPS
    first, at = _read_base(body, 1)
    if way == _DISTANCES:
        return list(map(add, _numbers(body[at:], width), repeat(first)))
    shortest, at = _read_base(body, at)
    return list(accumulate(map(add, _numbers(body[at:], width), repeat(shortest)), initial=first))


def to_planes(numbers: bytes, width: int) -> bytes:
    """The first bytes of all numbers, then the second ones, and so on."""
    return numbers if width == 1 else b"".join(numbers[place::width] for place in range(width))


def from_planes(planes: bytes, width: int) -> bytes:
    """What was given to `to_planes`."""
    count = len(planes) // width
    numbers = bytearray(len(planes))
    for place in range(width):
        numbers[place::width] = planes[place * count : (place + 1) * count]
    return bytes(numbers)


def _packed(way: int, bases: Sequence[int], numbers: Sequence[int], reach: int) -> bytes:
    """The last of the bases is what is taken off each number."""
    width = 1 if reach < 1 << 8 else 2 if reach < 1 << 16 else 4 if reach < 1 << 32 else 8
    base = bases[-1]
    body = array(_CODES[width], [number - base for number in numbers]).tobytes()
    return bytes((way | width,)) + b"".join(map(_base, bases)) + to_planes(body, width)


def _numbers(planes: bytes, width: int) -> "array[int]":
    return array(_CODES[width], from_planes(planes, width))


def _base(number: int) -> bytes:
    length = number.bit_length() // 8 + 1
    return bytes((length,)) + number.to_bytes(length, "little", signed=True)


def _read_base(body: bytes, at: int) -> tuple[int, int]:
    end = at + 1 + body[at]
    return int.from_bytes(body[at + 1 : end], "little", signed=True), end
