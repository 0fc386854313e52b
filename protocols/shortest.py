"""The shortest decimals of 32-bit floats: 25.4 for the single that a double shows as 25.399999618530273."""

import math
import struct
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

_SINGLE = struct.Struct("f")
_LEAST_NORMAL = 2.0**-126
_LEAST_EXPONENT = -125  # of normal singles, as math.frexp counts
_MOST_DIGITS = 9


def shortest_float32s(singles: Sequence[float]) -> list[float]:
    """Of each single the double nearest to its shortest decimal. Raises `ValueError` if one is not finite.

    Six digits always name a normal single unambiguously, so where six give it back they hold its shortest
    form, and most values that people meet are of that kind.
    """
    if not math.isfinite(sum(singles)):
        raise ValueError("not a finite number")
    six_digits = [float("%.6g" % single) for single in singles]  # noqa: UP031  (a third faster so)
    return [
        short if back == single and (single >= _LEAST_NORMAL or single <= -_LEAST_NORMAL or not single)
        else _shortest(single)
        for short, back, single in zip(six_digits, _as_singles(six_digits), singles, strict=True)
    ]  # fmt: skip


def _as_singles(doubles: Sequence[float]) -> Sequence[float]:
    try:
        packed = struct.Struct(f"{len(doubles)}f")
        return packed.unpack(packed.pack(*doubles))
    except OverflowError:  # six digits of the very largest singles are more than a single holds
        return [math.nan] * len(doubles)


def _shortest(single: float) -> float:
    mantissa, exponent = math.frexp(single)
    if abs(mantissa) == 0.5 or exponent < _LEAST_EXPONENT:
        return _shortest_neighbour(single)
    for digits in range(7, _MOST_DIGITS):
        short = float(f"{single:.{digits}g}")
        if _gives(short, single):
            return short
    return float(f"{single:.{_MOST_DIGITS}g}")


def _shortest_neighbour(single: float) -> float:
    """The careful way, for powers of two and denormals.

    Below a power of two singles lie twice as close as above, so the nearest decimal of a length may miss where
    the next one up hits: both neighbours are tried at every length.
    """
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
    except OverflowError:
        return False
    return bool(back == single)
