"""Numbers of a command as a person means them: exact, in engineering units and raw."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from protocols.base import Scalar, TagSpec, Value

_MOST_SHOWN = 60
_HUGE = 10**300


def leaves(value: Value) -> Iterator[Scalar]:
    """The value itself, or the elements of an array, however deep."""
    if isinstance(value, list):
        for each in value:
            yield from leaves(each)
    else:
        yield value


def numbers(value: Value) -> Iterator[Fraction]:
    """The numbers among the leaves, exactly; true is 1."""
    return (exact(each) for each in leaves(value) if isinstance(each, int | float))


def exact(number: int | float) -> Fraction:
    """A finite number; a float counts as the shortest decimal that names it, as a person wrote it."""
    return Fraction(number) if isinstance(number, int) else Fraction(Decimal(repr(number)))


def to_raw(number: Fraction, spec: TagSpec) -> Fraction:
    """(number - offset) / scale."""
    return (number - Fraction(spec.offset)) / Fraction(spec.scale)


def from_raw(number: Fraction, spec: TagSpec) -> Fraction:
    """number × scale + offset."""
    return number * Fraction(spec.scale) + Fraction(spec.offset)


def rounded(number: Fraction, spec: TagSpec) -> Fraction:
    """What a device that holds whole numbers makes of it: the tie goes to the even one."""
    return from_raw(Fraction(round(to_raw(number, spec))), spec)


def is_whole(raw: Value) -> bool:
    """Whether a device that reads this holds whole numbers."""
    return all(isinstance(each, int) for each in leaves(raw))


def shown(value: Value | Fraction) -> str:
    """For messages, cut where it is long: a command may send anything."""
    if isinstance(value, Fraction | int) and not -_HUGE < value < _HUGE:
        return "a number of over 300 digits"
    text = repr(float(value)).removesuffix(".0") if isinstance(value, Fraction) else repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
