"""How fast a backlog goes out, against brokers that are arithmetic."""

from collections import deque

import pytest

from collector.delivery.pace import LiveRate, Pace


def drain(pace: Pace, seconds: float, per_s: float, *, delay_s: float = 0.002, window: int = 64) -> tuple[int, float]:
    """Send for so long through a broker that takes so many a second; returns the count and the slowest PUBACK."""
    now, free_at, sent, slowest = 0.0, 0.0, 0, 0.0
    in_flight: deque[tuple[float, float]] = deque()
    while now < seconds:
        while in_flight and in_flight[0][1] <= now:
            sent_at, came = in_flight.popleft()
            slowest = max(slowest, came - sent_at)
            pace.acknowledged(sent_at, now)
        while len(in_flight) < window and pace.wait_s(now) == 0:
            pace.sent()
            sent += 1
            free_at = max(free_at, now) + 1 / per_s
            in_flight.append((now, free_at + delay_s))
        now += 0.001
    return sent, slowest


def test_it_begins_at_twenty_or_four_times_the_live_rate() -> None:
    pace = Pace()
    pace.begin(0.5, 0)
    assert pace.rate == 20
    pace.begin(30, 0)
    assert pace.rate == 120


def test_a_fast_broker_gets_it_fast_within_a_second() -> None:
    pace = Pace()
    pace.begin(1, 0)
    sent, _ = drain(pace, 3, per_s=20_000)
    assert sent > 6_000


def test_a_rate_that_was_set_is_kept_to() -> None:
    pace = Pace(250)
    pace.begin(1, 0)
    assert 1_000 <= drain(pace, 4, per_s=20_000)[0] <= 1_015
    pace.slow(5, 6)
    assert pace.rate == 250


def test_below_one_a_second_too() -> None:
    pace = Pace(0.5)
    pace.begin(1, 0)
    assert 10 <= drain(pace, 20, per_s=1_000)[0] <= 11


def test_it_halves_when_pubacks_take_over_a_second_once_for_all_that_was_sent_before() -> None:
    pace = Pace()
    pace.begin(100, 0)
    for sent_at in (0.0, 0.1, 0.2):
        pace.acknowledged(sent_at, 1.5 + sent_at)
    assert pace.rate == 200
    pace.acknowledged(1.6, 3.0)
    assert pace.rate == 150, "never below one and a half times the live rate"


def test_pubacks_between_the_marks_leave_it_alone() -> None:
    pace = Pace()
    pace.begin(10, 0)
    for tenth in range(50):
        pace.wait_s(tenth / 10)
        pace.sent()
        pace.acknowledged(tenth / 10 - 0.4, tenth / 10)
    assert pace.rate == 40


def test_it_does_not_grow_while_there_is_less_to_send_than_it_allows() -> None:
    pace = Pace()
    pace.begin(10, 0)
    for second in range(1, 20):
        assert pace.wait_s(second) == 0
        pace.sent()
        pace.acknowledged(second, second + 0.01)
    assert pace.rate == 40


def test_after_a_halving_it_grows_gently() -> None:
    pace = Pace()
    pace.begin(25, 0)
    pace.acknowledged(0, 1.2)
    assert pace.rate == 50
    drain(pace, 0.5, per_s=20_000)
    assert pace.rate < 100


def test_b12_two_hundred_edges_into_one_slow_broker_stay_within_what_it_takes() -> None:
    """1,000 messages/s in all, 2 of them new a second and edge: the queue before the broker stays short."""
    edges, capacity, delay_s = 200, 1_000, 0.005
    paces = [Pace() for _ in range(edges)]
    for pace in paces:
        pace.begin(1, 0)
    queue: deque[tuple[float, Pace]] = deque()
    flying = dict.fromkeys(paces, 0)
    longest, answered, budget, now = 0, 0, 0.0, 0.0
    while now < 60:
        budget = min(budget + capacity * 0.01, capacity * 0.01 + 1)
        while queue and budget >= 1:
            sent_at, pace = queue.popleft()
            flying[pace] -= 1
            answered, budget = answered + 1, budget - 1
            pace.acknowledged(sent_at, now + delay_s)
        for pace in paces:
            while flying[pace] < 64 and pace.wait_s(now) == 0:
                pace.sent()
                flying[pace] += 1
                queue.append((now, pace))
        if now > 20:
            longest = max(longest, len(queue))
        now += 0.01
    assert answered > 0.9 * 60 * capacity, "it is used in full"
    assert longest < 64 * edges / 3, "and far from every window being full"


def test_the_live_rate_follows_the_numbers() -> None:
    live = LiveRate(0, 100.0)
    live.look(3_600, 3_700.0)
    assert live.per_s == pytest.approx(1.0)
    for second in range(1, 30):
        live.look(3_600 + 10 * second, 3_700.0 + second)
    assert live.per_s == pytest.approx(10, rel=0.05)


def test_a_burst_right_after_the_start_is_no_rate() -> None:
    live = LiveRate(0, 100.0)
    live.look(500, 100.001)
    assert live.per_s <= 100
