"""When an alarm is raised and when it leaves, over any course of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.alarms.alarm import Level, State
from collector.alarms.errors import ThresholdsRefused
from collector.alarms.limits import Limit, check, limits_of
from collector.config.plan import Thresholds


def states(limit: Limit, values: list[float], every_s: float = 1.0) -> list[State | None]:
    return [limit.look(value, 0, place * every_s) for place, value in enumerate(values)]


def high(limit: float = 80, *, hysteresis: float = 0, delay_s: float = 0, raised: bool = False) -> Limit:
    return Limit(Level.HIGH, limit, hysteresis=hysteresis, delay_s=delay_s, raised=raised)


def test_beyond_the_limit_is_raised_and_back_at_it_is_left() -> None:
    assert states(high(), [79, 80, 81, 82, 80, 81]) == [None, None, State.RAISED, None, State.LEFT, State.RAISED]


def test_a_low_limit_is_the_mirror_image() -> None:
    low = Limit(Level.LOW, 10, hysteresis=2, delay_s=0, raised=False)
    assert states(low, [10, 9, 11, 12, 13]) == [None, State.RAISED, None, State.LEFT, None]


def test_hysteresis_keeps_it_until_the_value_is_well_back() -> None:
    assert states(high(hysteresis=5), [81, 79, 76, 75]) == [State.RAISED, None, None, State.LEFT]


def test_a_delay_asks_for_all_values_of_that_time() -> None:
    limit = high(delay_s=3)
    assert states(limit, [81, 82, 79, 81, 82, 83, 84]) == [None] * 6 + [State.RAISED]


def test_since_is_when_the_limit_was_passed_not_when_the_delay_was_over() -> None:
    limit = high(delay_s=2)
    for second in range(3):
        limit.look(81, 1_000 + second, second)
    assert (limit.raised, limit.since_ms) == (True, 1_000)


def test_one_that_was_raised_before_a_restart_leaves_at_the_first_value_that_is_back() -> None:
    assert states(high(raised=True), [81, 79]) == [None, State.LEFT]


@given(
    st.lists(st.integers(60, 100), max_size=40),
    st.integers(0, 10),
    st.integers(0, 5),
    st.sampled_from([Level.LOW_LOW, Level.LOW, Level.HIGH, Level.HIGH_HIGH]),
)
def test_raised_and_left_take_turns(values: list[int], hysteresis: int, delay_s: int, level: Level) -> None:
    limit = Limit(level, 80, hysteresis=hysteresis, delay_s=delay_s, raised=False)
    changes = [change for change in states(limit, list(values)) if change]
    assert changes == [State.RAISED, State.LEFT] * (len(changes) // 2) + [State.RAISED] * (len(changes) % 2)
    assert limit.raised is (len(changes) % 2 == 1)


@pytest.mark.parametrize(
    "wrong",
    [
        Thresholds(),
        Thresholds(low=5, high=4),
        Thresholds(high=float("nan")),
        Thresholds(high=float("inf")),
        Thresholds(high=1, hysteresis=-1),
        Thresholds(high=1, delay_s=-1),
    ],
)
def test_thresholds_that_make_no_sense(wrong: Thresholds) -> None:
    with pytest.raises(ThresholdsRefused, match="expected"):
        check(wrong)


def test_the_limits_that_are_set() -> None:
    assert list(limits_of(Thresholds(low=1, high_high=9))) == [(Level.LOW, 1), (Level.HIGH_HIGH, 9)]
