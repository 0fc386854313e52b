"""A scan as small as it can be kept until it is written: 8 bytes a number, where the objects take 32; what a device
that is away does not give takes next to nothing, for it may be away for the whole minute."""

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self, TypeAlias, cast

from collector.config.plan import DevicePlan
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality

_EXACT = 2.0**53
"""From here on the neighbour of an integer may be the same double."""
_FEW = 1024
_NUMBERS: frozenset[type] = frozenset({int, float, bool})
_NONE = type(None)

Types: TypeAlias = tuple[type, ...]


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is alike in the scans of a device: what makes each value of its number, where there is none and what is
    neither.

    `code` is the array's; `alike`: all values are of the type that it gives back.
    """

    makers: tuple[Callable[[float], Value | None], ...]
    others: tuple[int, ...]
    numberless: frozenset[int]
    alike: bool
    code: str


@dataclass(frozen=True, slots=True)
class FoldedScan:
    """A scan whose numbers are in an array. `device`, `stamp_ms` and `names` are the scan's own; `others` are the
    values that the array can not hold, by position. It shares `bad` with the scan before if theirs is equal."""

    device: DevicePlan
    stamp_ms: int
    names: tuple[str, ...]
    pattern: Pattern
    numbers: "array[float] | array[int]"
    others: dict[int, Value | None]
    bad: dict[int, Quality]

    @classmethod
    def of(cls, scan: Scan, before: dict[int, Quality] | None = None) -> Self:
        """`before` is the `bad` of the device's scan before. Takes 0.03 µs a value where all are of one type, 0.1
        where they are not."""
        values, pattern = scan.values, _pattern(tuple(map(type, scan.values)))
        others = {place: values[place] for place in pattern.others}
        try:
            numbers = _array(pattern, values)
        except OverflowError:
            numbers, others = array("d"), dict(enumerate(values))
        bad = before if before is not None and before == scan.bad else scan.bad
        return cls(scan.device, scan.stamp_ms, scan.names, pattern, numbers, others, bad)

    def unfold(self) -> Scan:
        """The scan again, with values of the same types."""
        others, makers = self.others, self.pattern.makers
        values: list[Value | None]
        if not self.numbers:
            values = list(others.values())
        elif self.pattern.alike:
            values = list(self.numbers)
        else:
            pairs = enumerate(zip(makers, self.numbers, strict=True))
            values = [others[place] if place in others else make(number) for place, (make, number) in pairs]
        return Scan(self.device, self.stamp_ms, self.names, values, self.bad)


def _pattern(types: Types) -> Pattern:
    """Where tags come and go by themselves each scan has a pattern of its own: a few megabytes of them are kept."""
    return _of_few(types) if len(types) <= _FEW else _of_many(types)


def _new_pattern(types: Types) -> Pattern:
    numberless = frozenset(place for place, each in enumerate(types) if each not in _NUMBERS)
    others = tuple(place for place in sorted(numberless) if types[place] is not _NONE)
    kinds = set(types)
    makers = tuple(_nothing if each is _NONE else each for each in types)
    code = "d" if float in kinds else "q" if kinds & _NUMBERS else "b"
    return Pattern(makers, others, numberless, kinds in ({float}, {int}), code)


def _nothing(_: float) -> None:
    """A tag without a value."""


_of_few = lru_cache(maxsize=1024)(_new_pattern)
_of_many = lru_cache(maxsize=8)(_new_pattern)


def _array(pattern: Pattern, values: Sequence[Value | None]) -> "array[float] | array[int]":
    """Raises `OverflowError` where an integer would not come back as it was."""
    plain = cast(Sequence[int], values)
    if pattern.numberless:
        plain = [0 if place in pattern.numberless else value for place, value in enumerate(plain)]
    if pattern.code == "d":
        numbers = array("d", plain)
        if not pattern.alike and max(map(abs, numbers)) >= _EXACT:
            raise OverflowError
        return numbers
    return array(pattern.code, plain)
