"""When the broker of the demo is away."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cli.demo.course import DRAIN_S, WARM_UP_S, Course, plan_course


def test_without_an_end_the_outage_begins_after_ten_seconds() -> None:
    assert plan_course(None, 20) == Course(None, 20, 10)


def test_the_outage_begins_in_the_middle() -> None:
    assert plan_course(60, 20).outage_at_s == 30


def test_a_long_outage_begins_sooner_so_that_the_buffer_can_drain() -> None:
    assert plan_course(30, 20).outage_at_s == 30 - 20 - DRAIN_S


def test_a_duration_that_is_too_short_is_refused_with_the_least_that_will_do() -> None:
    with pytest.raises(ValueError, match=r"--duration 20 is too short for --outage 20.*at least --duration 28"):
        plan_course(20, 20)
    assert plan_course(28, 20).outage_at_s == WARM_UP_S


def test_without_an_outage_any_duration_will_do() -> None:
    assert plan_course(1, 0).outage_s == 0


@given(st.floats(1, 1000), st.floats(0.1, 1000))
def test_there_is_always_time_before_and_after(duration_s: float, outage_s: float) -> None:
    try:
        course = plan_course(duration_s, outage_s)
    except ValueError:
        assert duration_s < WARM_UP_S + outage_s + DRAIN_S + 1e-6
        return
    assert course.outage_at_s >= WARM_UP_S
    assert course.outage_at_s + outage_s + DRAIN_S <= duration_s + 1e-6
