"""A device's stamps follow the wall clock and never repeat, however it is set."""

from hypothesis import given
from hypothesis import strategies as st

from collector.polling.stamps import REMEMBERED, Stamps
from tests.doubles.clock import FakeClock

steps = st.one_of(st.integers(0, 3), st.integers(-40, 40), st.just(-3_600_000), st.just(3_600_000))


def test_a_stamp_is_what_the_clock_says() -> None:
    clock = FakeClock()
    stamps = Stamps(clock)
    for _ in range(5):
        clock.advance(0.1)
        assert stamps.next_ms() == clock.wall_ms()


def test_two_in_one_millisecond_differ() -> None:
    stamps = Stamps(FakeClock())
    assert stamps.next_ms() + 1 == stamps.next_ms()


def test_c2_set_back_an_hour_no_stamp_of_that_hour_is_given_again() -> None:
    clock = FakeClock()
    stamps = Stamps(clock)
    before = set()
    for _ in range(REMEMBERED):
        clock.advance(1)
        before.add(stamps.next_ms())
    clock.step_wall(-3_600)
    again = []
    for _ in range(REMEMBERED):
        clock.advance(1)
        again.append(stamps.next_ms())
        assert abs(again[-1] - clock.wall_ms()) <= 1
    assert before.isdisjoint(again)
    clock.advance(1)
    assert stamps.next_ms() == clock.wall_ms()


@given(st.lists(steps, max_size=200))
def test_no_stamp_repeats_among_the_last_ones(moves: list[int]) -> None:
    clock = FakeClock()
    stamps = Stamps(clock)
    given_before = []
    for move in moves:
        clock.step_wall(move / 1000)
        stamp_ms = stamps.next_ms()
        assert stamp_ms not in given_before
        assert stamp_ms >= clock.wall_ms()
        given_before.append(stamp_ms)
