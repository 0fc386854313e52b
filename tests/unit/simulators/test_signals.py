from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.signals import (
    Bits,
    Constant,
    Counter,
    Cycle,
    Moment,
    Ramp,
    RandomWalk,
    Setpoint,
    Signal,
    Sine,
    Square,
    Unique,
)

moments = st.builds(Moment, st.floats(0, 1e6), st.integers(0, 10**9))
SIGNALS: tuple[Signal, ...] = (
    Constant(7),
    Ramp(0, 10, 5),
    Sine(25, 3, 60),
    RandomWalk(1, 10, 12),
    Counter(0.5, 100),
    Square(10),
    Bits((Constant(True), Square(3))),
    Cycle(("AUTO", "수동"), 4),
    Unique(5, 1000),
    Setpoint(42),
)


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: type(signal).__name__)
@given(moment=moments)
def test_equal_moments_give_equal_values(signal: Signal, moment: Moment) -> None:
    assert signal.at(moment) == signal.at(Moment(moment.seconds, moment.read))


@given(moments)
def test_a_walk_stays_within_its_bounds(moment: Moment) -> None:
    assert 10 <= RandomWalk(3, 10, 12).at(moment) <= 12


def test_a_walk_moves_smoothly_and_depends_on_its_seed() -> None:
    walk = [RandomWalk(3, 0, 100, step_s=5).at(Moment(tenth / 10, 0)) for tenth in range(1000)]
    assert max(abs(after - before) for before, after in pairwise(walk)) < 5
    assert max(walk) - min(walk) > 50
    assert RandomWalk(4, 0, 100).at(Moment(7, 0)) != RandomWalk(3, 0, 100).at(Moment(7, 0))


@pytest.mark.parametrize(
    ("signal", "seconds", "value"),
    [
        (Ramp(0, 10, 5), 2.5, 5),
        (Ramp(0, 10, 5), 5, 0),
        (Sine(25, 3, 60), 15, 28),
        (Counter(0.5, 100), 9.9, 104),
        (Square(10, 0.3), 2.9, True),
        (Square(10, 0.3), 3.1, False),
        (Bits((Constant(True), Constant(False), Constant(True))), 0, 0b101),
        (Cycle(("AUTO", "수동"), 4), 5, "수동"),
        (Cycle(("AUTO", "수동"), 4), 8, "AUTO"),
    ],
)
def test_values_follow_the_clock(signal: Signal, seconds: float, value: object) -> None:
    assert signal.at(Moment(seconds, 0)) == pytest.approx(value)


def test_unique_tells_the_read_and_the_tag_apart() -> None:
    values = {Unique(base, 10).at(Moment(0, read)) for base in range(10) for read in range(100)}
    assert len(values) == 1000
    assert divmod(Unique(3, 10).at(Moment(0, 42)), 10) == (42, 3)


def test_a_setpoint_clamps_numbers_only() -> None:
    setpoint = Setpoint(10, low=0, high=50)
    assert [setpoint.clamp(value) for value in (-1, 25, 51, "가")] == [0, 25, 50, "가"]
