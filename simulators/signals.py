"""What a made-up process does: values as pure functions of a moment, so that a test can reckon each again."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

SignalValue: TypeAlias = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Moment:
    """When a value is asked for: seconds since the PLC started, and the number of this read (1, 2, 3 …)."""

    seconds: float
    read: int


class Signal(Protocol):
    """Something that has a value at every moment."""

    def at(self, moment: Moment) -> SignalValue:
        """The value; equal moments give equal values."""
        ...


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: SignalValue

    def at(self, moment: Moment) -> SignalValue:
        return self.value


@dataclass(frozen=True, slots=True)
class Ramp:
    """A saw-tooth from `low` up to `high` within `period_s`, then from `low` again."""

    low: float
    high: float
    period_s: float

    def at(self, moment: Moment) -> float:
        return self.low + (self.high - self.low) * (moment.seconds / self.period_s % 1.0)


@dataclass(frozen=True, slots=True)
class Sine:
    """Swings by `amplitude` around `mean`."""

    mean: float
    amplitude: float
    period_s: float

    def at(self, moment: Moment) -> float:
        return self.mean + self.amplitude * math.sin(2 * math.pi * moment.seconds / self.period_s)


@dataclass(frozen=True, slots=True)
class RandomWalk:
    """Wanders smoothly between `low` and `high`, to a new goal every `step_s`; one `seed`, one walk."""

    seed: int
    low: float
    high: float
    step_s: float = 5.0

    def at(self, moment: Moment) -> float:
        step, way = divmod(moment.seconds / self.step_s, 1.0)
        ease = way * way * (3 - 2 * way)
        start, goal = self._goal(int(step)), self._goal(int(step) + 1)
        return start + (goal - start) * ease

    def _goal(self, step: int) -> float:
        return random.Random(f"{self.seed}/{step}").uniform(self.low, self.high)


@dataclass(frozen=True, slots=True)
class Counter:
    """Pieces made: `per_s` a second, from `start`. A register too small for it wraps around."""

    per_s: float
    start: int = 0

    def at(self, moment: Moment) -> int:
        return self.start + int(moment.seconds * self.per_s)


@dataclass(frozen=True, slots=True)
class Square:
    """On for the first `duty` of each period, then off."""

    period_s: float
    duty: float = 0.5

    def at(self, moment: Moment) -> bool:
        return moment.seconds / self.period_s % 1.0 < self.duty


@dataclass(frozen=True, slots=True)
class Bits:
    """A status word: the bit at place n is on while signal n is; place 0 is the least."""

    signals: tuple[Signal, ...]

    def at(self, moment: Moment) -> int:
        return sum(1 << place for place, signal in enumerate(self.signals) if signal.at(moment))


@dataclass(frozen=True, slots=True)
class Cycle:
    """One of `values` after the other, `each_s` seconds each: modes, part numbers, names."""

    values: Sequence[SignalValue]
    each_s: float

    def at(self, moment: Moment) -> SignalValue:
        return self.values[int(moment.seconds / self.each_s) % len(self.values)]


@dataclass(frozen=True, slots=True)
class Unique:
    """`base` + `stride` × the number of the read request: no two requests ever see the same value.

    A value tells which request it came from; with a `base` of its own below a common `stride` it also tells
    which tag it belongs to.
    """

    base: int = 0
    stride: int = 1

    def at(self, moment: Moment) -> int:
        return self.base + self.stride * moment.read


@dataclass(frozen=True, slots=True)
class Setpoint:
    """Keeps what was last written, `initial` before that; what is outside `low` to `high` is clamped."""

    initial: SignalValue
    low: float = -math.inf
    high: float = math.inf

    def at(self, moment: Moment) -> SignalValue:
        return self.initial

    def clamp(self, value: SignalValue) -> SignalValue:
        """What the PLC makes of a written value."""
        if isinstance(value, str) or self.low <= value <= self.high:
            return value
        return self.low if value < self.low else self.high
