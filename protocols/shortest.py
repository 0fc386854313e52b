"""The shortest decimals of 32-bit floats: 25.4 for the single that a double shows as 25.399999618530273.

Singles with the same exponent bits lie evenly. A power of ten that is no smaller than the distance between them has at
most one multiple that is nearer to a single than to its neighbours; if it has one, that is the shortest decimal. If
not, the nearest multiple of the next smaller power of ten is. Both are found in the arithmetic of doubles.
"""

import math
import struct
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from functools import lru_cache

_SINGLE = struct.Struct("f")
_MANTISSA_BITS = 23
_MANTISSA = 2**_MANTISSA_BITS - 1
_NORMAL = range(1, 255)  # exponent bits of singles that are neither zero nor denormal, infinite nor none
_LEAST_EXPONENT = -125  # of normal singles, as math.frexp counts
_UNIT_EXPONENT = 150  # exponent bits of singles that lie 1 apart
_WHOLE = 1.5 * 2**52
"""Doubles near it are the whole numbers: added and taken away again, it rounds half to even."""

# Where arithmetic is exact: the 24 bits of a single times 10**12, which has 28 and zeros, fit into a double, and a
# quotient by 10**6 that is not half-way between two whole numbers is further from there than the division is off.
_EXACT_PLACES = range(-6, 12)

_SURE_DIGITS, _MOST_DIGITS = 6, 9


def shortest_float32s(singles: Sequence[float]) -> list[float]:
    """Of each single the double nearest to its shortest decimal. Raises `ValueError` if one is not finite."""
    floats, integers = _forms(len(singles))
    patterns = integers.unpack(floats.pack(*singles))
    powers = [_COARSE[pattern >> _MANTISSA_BITS] for pattern in patterns]
    shorts = [
        (single * times / over + _WHOLE - _WHOLE) * over / times
        for single, (times, over) in zip(singles, powers, strict=True)
    ]
    backs = floats.unpack(floats.pack(*shorts))
    if backs == tuple(singles):
        return shorts
    return [
        short if back == single else _finer(single, pattern)
        for single, pattern, short, back in zip(singles, patterns, shorts, backs, strict=True)
    ]


@lru_cache
def _forms(count: int) -> tuple[struct.Struct, struct.Struct]:
    return struct.Struct(f"{count}f"), struct.Struct(f"{count}I")


def _powers_of_ten(smaller: int) -> list[tuple[float, float]]:
    """By the sign and exponent bits of a single: what makes it, by times and over, a number of powers of ten.

    Those are the smallest that are no smaller than the distance between singles, or the next `smaller`. NaN where the
    arithmetic would not be exact.
    """
    table = []
    for exponent in range(256):
        places = math.floor((_UNIT_EXPONENT - exponent) * math.log10(2))
        if exponent in _NORMAL and places in _EXACT_PLACES:
            table.append((10.0 ** max(places + smaller, 0), 10.0 ** max(-places - smaller, 0)))
        else:
            table.append((math.nan, 1.0))
    return 2 * table


_COARSE, _FINE = _powers_of_ten(0), _powers_of_ten(1)


def _finer(single: float, pattern: int) -> float:
    if not single:
        return single
    times, over = _FINE[pattern >> _MANTISSA_BITS]
    short = (single * times / over + _WHOLE - _WHOLE) * over / times
    return short if pattern & _MANTISSA and not math.isnan(short) else _by_trial(single)


def _by_trial(single: float) -> float:
    """For the very large and small, and for powers of two, below which singles lie twice as close as above.

    Six digits always name a normal single unambiguously, so if six give it back they hold its shortest decimal.
    """
    if not math.isfinite(single):
        raise ValueError("not a finite number")
    mantissa, exponent = math.frexp(single)
    if abs(mantissa) == 0.5 or exponent < _LEAST_EXPONENT:
        return _by_neighbours(single)
    for digits in range(_SURE_DIGITS, _MOST_DIGITS):
        short = float(f"{single:.{digits}g}")
        if _gives(short, single):
            return short
    return float(f"{single:.{_MOST_DIGITS}g}")


def _by_neighbours(single: float) -> float:
    """The nearest decimal of a length may miss where the next one up hits: both are tried at every length."""
    exact = Decimal(single)
    for digits in range(1, _MOST_DIGITS):
        neighbours = (Context(digits, way).create_decimal(exact) for way in (ROUND_FLOOR, ROUND_CEILING))
        same = [decimal for decimal in neighbours if _gives(float(decimal), single)]
        if same:
            return float(min(same, key=lambda decimal: abs(decimal - exact)))
    return float(f"{single:.{_MOST_DIGITS}g}")


def _gives(double: float, single: float) -> bool:
    try:
        (back,) = _SINGLE.unpack(_SINGLE.pack(double))
    except OverflowError:  # a digit less of the very largest singles is more than a single holds
        return False
    return bool(back == single)
