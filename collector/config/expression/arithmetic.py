"""What the operators and functions reckon, as Python does, within bounds: no step takes long or gives no number."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import TypeAlias

Number: TypeAlias = bool | int | float
Operation: TypeAlias = Callable[[Number, Number], object]

MOST_BITS = 1024
"""Of an integer on the way to the result: about as far as a double reaches."""

_MOST_PLACES = 400


class NotANumber(ArithmeticError):
    """There is no such number: a division by zero, a root of less than zero, too large."""


def finite(value: object) -> Number:
    """The result of a step. Raises `NotANumber` for infinity, NaN, a complex number, or an integer that is too long."""
    match value:
        case float() if math.isfinite(value):
            return value
        case int() if value.bit_length() <= MOST_BITS:
            return value
        case _:
            raise NotANumber


def reckon(operation: Operation, left: Number, right: Number) -> Number:
    """A step with two numbers. Raises `NotANumber`."""
    try:
        return finite(operation(left, right))
    except (ArithmeticError, ValueError):
        raise NotANumber from None


def power(base: Number, exponent: Number) -> object:
    """``**``, refused before it is begun where the integer would be too long."""
    if isinstance(base, int) and isinstance(exponent, int) and exponent > 0:
        least_bits = (abs(base).bit_length() - 1) * exponent
        if least_bits > MOST_BITS:
            raise NotANumber
    return base**exponent


def absolute(value: Number) -> Number:
    """``abs(x)``."""
    return finite(abs(value))


def rounded(value: Number, places: Number | None = None) -> Number:
    """``round(x)``, an integer, or ``round(x, places)``; half goes to the even neighbour."""
    if places is not None and (not isinstance(places, int) or abs(places) > _MOST_PLACES):
        raise NotANumber
    try:
        return finite(round(value, places))
    except ArithmeticError:
        raise NotANumber from None


def average(*values: Number) -> Number:
    """``avg(a, b, …)``."""
    try:
        return reckon(operator.truediv, finite(sum(values)), len(values))
    except OverflowError:
        raise NotANumber from None


BINARY: Mapping[str, Operation] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "**": power,
}
COMPARISONS: Mapping[str, Callable[[Number, Number], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
