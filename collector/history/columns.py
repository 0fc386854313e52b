"""The values of one tag over a minute, or a figure of its windows over an hour, as few bytes.

The first byte of a column says what the rest is. Most values of PLCs are integers, or decimals of a few digits, which
are integers with a point in them; numbers with all their bits in use are kept as these bits.
"""

import json
from array import array
from collections.abc import Sequence
from contextlib import suppress
from itertools import compress, repeat
from operator import truediv
from typing import Any, TypeAlias, cast

import orjson

from collector.history.numbers import from_planes, pack_integers, to_planes, unpack_integers
from protocols.base import Value

Column: TypeAlias = Sequence[Value | None]

_NOTHING, _SAME, _FLAGS, _WHOLE, _DECIMAL, _DOUBLES, _JSON = range(7)
_GAPPY = 0x80
_POWERS = tuple(10.0**digits for digits in range(10))
_SAMPLES = 4
_decoded = json.JSONDecoder().raw_decode


def pack_column(column: Column) -> bytes:
    """Bytes from which `unpack_column` makes the same values of the same types; None stands where there is none.

    Every value that JSON knows is one; NaN is not, and never comes from a device.
    """
    if None not in column:
        return _pack(column)
    present = [value is not None for value in column]
    values = list(compress(column, present))
    if not values:
        return bytes((_NOTHING,))
    packed = _pack(values)
    return bytes((packed[0] | _GAPPY, *present)) + packed[1:]


def unpack_column(packed: bytes, count: int) -> list[Value | None]:
    """The `count` values of a column."""
    kind, body = packed[0], packed[1:]
    if kind == _NOTHING:
        return [None] * count
    if not kind & _GAPPY:
        return _unpack(kind, body, count)
    present, body = body[:count], body[count:]
    values = iter(_unpack(kind & ~_GAPPY, body, sum(present)))
    return [next(values) if there else None for there in present]


def _pack(values: Column) -> bytes:
    kinds = set(map(type, values))
    kind = kinds.pop()
    if kinds:
        return _as_json(_JSON, list(values))
    if kind is float:
        return _pack_floats(cast(Sequence[float], values))
    if values.count(values[0]) == len(values) and kind is not list:
        return _as_json(_SAME, values[0])
    if kind is bool:
        return bytes((_FLAGS, *cast(Sequence[bool], values)))
    if kind is int and (body := pack_integers(cast(Sequence[int], values))):
        return bytes((_WHOLE,)) + body
    return _as_json(_JSON, list(values))


def _unpack(kind: int, body: bytes, count: int) -> list[Value | None]:
    match kind:
        case 1:
            return [_from_json(body)] * count
        case 2:
            return list(map(bool, body))
        case 3:
            return list(unpack_integers(body))
        case 4:
            return list(map(truediv, unpack_integers(body[1:]), repeat(_POWERS[body[0]])))
        case 5:
            return list(_from_doubles(body))
        case _:
            return list(_from_json(body))


def _pack_floats(values: Sequence[float]) -> bytes:
    bits = array("d", values).tobytes()
    if bits == bits[:8] * len(values):
        return _as_json(_SAME, values[0])
    digits = max(len(repr(value).partition(".")[2]) for value in values[:: len(values) // _SAMPLES or 1])
    # A sample may have ended in a zero: one digit more is tried.
    for tried in range(digits, min(digits + 2, len(_POWERS))):
        whole = _as_integers(values, tried, bits)
        if whole is not None and (body := pack_integers(whole)):
            return bytes((_DECIMAL, tried)) + body
    return bytes((_DOUBLES,)) + _to_doubles(bits)


def _as_integers(values: Sequence[float], digits: int, bits: bytes) -> list[int] | None:
    """The values without their point; None if that loses anything, were it the sign of a zero."""
    power = _POWERS[digits]
    try:
        whole = [round(value * power) for value in values]
    except (OverflowError, ValueError):
        return None
    restored = list(map(truediv, whole, repeat(power)))
    if restored != list(values) or (0 in whole and array("d", restored).tobytes() != bits):
        return None
    return whole


def _to_doubles(bits: bytes) -> bytes:
    number = int.from_bytes(bits, "little")
    before = number << 64
    return to_planes((number ^ before).to_bytes(len(bits) + 8, "little")[: len(bits)], 8)


def _from_doubles(planes: bytes) -> "array[float]":
    words = array("Q", from_planes(planes, 8))
    for place in range(1, len(words)):
        words[place] ^= words[place - 1]
    return array("d", words.tobytes())


def _as_json(kind: int, value: object) -> bytes:
    with suppress(TypeError):  # an integer beyond 64 bits, or half a character
        written = orjson.dumps(value)
        if b"null" not in written:  # as which it writes what is infinite
            return bytes((kind,)) + written
    return bytes((kind,)) + json.dumps(value, separators=(",", ":")).encode()


def _from_json(body: bytes) -> Any:
    """Without what `json.loads` does first to find out how a text is encoded, which takes longer than the rest."""
    return _decoded(body.decode())[0]
