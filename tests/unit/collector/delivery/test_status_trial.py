"""Whether the status is what a broker closes on."""

import pytest

from collector.delivery.mqtt.connection import Lost
from collector.delivery.status_trial import StatusTrial
from tests.doubles.clock import FakeClock

CLOSED = Lost("closed by the broker", closed_by_broker=True)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def suspected(clock: FakeClock) -> StatusTrial:
    """Three connections took the status of 2,000 bytes at most."""
    trial = StatusTrial(clock)
    for _ in range(3):
        assert not trial.leaves_out(2_000)
        trial.lost(2_000, CLOSED, waiting=True)
    assert trial.leaves_out(2_000)
    assert not trial.leaves_out(1_999)
    return trial


def test_b10_a_status_is_left_out_for_ten_minutes_if_others_pass_without_it(clock: FakeClock) -> None:
    trial = suspected(clock)
    assert trial.others_pass()
    assert not trial.others_pass(), "told once"
    clock.advance(599)
    assert trial.leaves_out(2_000)
    clock.advance(1)
    assert not trial.leaves_out(2_000)


def test_a_status_is_innocent_if_nothing_passes_without_it(clock: FakeClock) -> None:
    trial = suspected(clock)
    trial.lost(None, CLOSED, waiting=True)
    assert not trial.leaves_out(2_000)


def test_connections_that_took_something_or_had_nothing_to_take_prove_nothing(clock: FakeClock) -> None:
    trial = StatusTrial(clock)
    for _ in range(10):
        trial.lost(2_000, CLOSED, waiting=False)
        trial.lost(2_000, Lost("no PUBACK for 10 s"), waiting=True)
        assert not trial.others_pass()
        trial.lost(2_000, CLOSED, waiting=True)
    assert not trial.leaves_out(2_000)
