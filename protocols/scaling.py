"""From raw numbers to engineering units, reckoned in decimal as a person would.

A converter takes the raw values of tags that share one type and one scale, and gives as many values in the
same order. It raises `ValueError` when any raw value is none, `OverflowError` when any result is too large,
and says nothing of which: the caller then asks one by one, for bad values are rare and good ones must be fast.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TypeAlias

from protocols.shortest import shortest_float32s

Integers: TypeAlias = Callable[[Sequence[int]], Sequence[int | float]]
Floats: TypeAlias = Callable[[Sequence[float]], Sequence[float]]

# A double below a million with no more than nine decimals is at most 15 digits, which it holds without
# loss: if n / 10**9 gives the double back, n / 10**9 is its shortest decimal.
_NANO = 10**9
_MILLION = 10**6
_EXACT = 2**53
"""Doubles hold every whole number up to here."""
_WHOLE = 1.5 * 2**52
"""Doubles near it are the whole numbers: added and taken away again, it rounds half to even."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """value = (raw × multiplier + addend) / divisor, all whole, so that only the result is ever rounded."""

    multiplier: int = 1
    addend: int = 0
    divisor: int = 1

    @classmethod
    @lru_cache(maxsize=1024)  # many tags share few scales, and so they share them in memory too
    def of(cls, scale: Decimal, offset: Decimal) -> "Scaling":
        """The scaling raw × `scale` + `offset`, both finite and taken exactly as written."""
        scale_top, scale_bottom = scale.as_integer_ratio()
        offset_top, offset_bottom = offset.as_integer_ratio()
        divisor = math.lcm(scale_bottom, offset_bottom)
        return cls(scale_top * (divisor // scale_bottom), offset_top * (divisor // offset_bottom), divisor)

    @property
    def is_identity(self) -> bool:
        """Whether values are the raw ones."""
        return self == IDENTITY


IDENTITY = Scaling()


def integer_scaler(scaling: Scaling) -> Integers:
    """A converter of integers: exact ones if scale and offset are whole, else the nearest doubles."""
    m, o, d = scaling.multiplier, scaling.addend, scaling.divisor
    if scaling.is_identity:
        return lambda raws: raws
    if d == 1:
        return lambda raws: _within_64_bits([raw * m + o for raw in raws])
    if (m, o) == (1, 0):
        return lambda raws: [raw / d for raw in raws]
    return lambda raws: [(raw * m + o) / d for raw in raws]


def float64_scaler(scaling: Scaling) -> Floats:
    """A converter of doubles, each taken as its shortest decimal."""
    if scaling.is_identity:
        return _finite
    most = _most_in_doubles(scaling)
    if not most:
        return lambda raws: [_scale_exactly(raw, scaling) for raw in raws]
    nano = float(_NANO)
    m, o, d = float(scaling.multiplier), float(scaling.addend * _NANO), float(scaling.divisor * _NANO)

    def scale(raws: Sequence[float]) -> list[float]:
        return [
            (nanos * m + o) / d
            if -most < raw < most and (nanos := raw * nano + _WHOLE - _WHOLE) / nano == raw
            else _scale_exactly(raw, scaling)
            for raw in raws
        ]

    return scale


def float32_scaler(scaling: Scaling) -> Floats:
    """A converter of singles (widened to doubles), each taken as the fewest digits that give its 32 bits."""
    if scaling.is_identity:
        return shortest_float32s
    scale = float64_scaler(scaling)
    return lambda raws: scale(shortest_float32s(raws))


def _most_in_doubles(scaling: Scaling) -> int:
    """Doubles nearer to zero than that can be scaled in doubles, counted in billionths, and only the end is rounded."""
    if scaling.divisor * _NANO > _EXACT:
        return 0
    return max(0, min(_MILLION, (_EXACT - abs(scaling.addend) * _NANO) // (abs(scaling.multiplier) * _NANO)))


def _within_64_bits(values: list[int]) -> list[int]:
    if values and not (min(values) >= -(2**63) and max(values) < 2**64):
        raise OverflowError("more than 64 bits")
    return values


def _finite(raws: Sequence[float]) -> Sequence[float]:
    if not all(map(math.isfinite, raws)):
        raise ValueError("not a finite number")
    return raws


def _scale_exactly(raw: float, scaling: Scaling) -> float:
    if abs(raw) < _MILLION and (nanos := round(raw * _NANO)) / _NANO == raw:
        top, bottom = nanos, _NANO
    else:
        top, bottom = Decimal(repr(raw)).as_integer_ratio()
    return (top * scaling.multiplier + scaling.addend * bottom) / (bottom * scaling.divisor)
