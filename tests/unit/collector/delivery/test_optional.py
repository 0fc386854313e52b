"""Topics that a broker closes on."""

import pytest

from collector.delivery.mqtt.connection import Lost
from collector.delivery.optional import OptionalTopics, Topic
from collector.status.board import Board
from tests.doubles.clock import FakeClock

CLOSED = Lost("closed by the broker", closed_by_broker=True)
COMMANDS, EVENTS = Topic.COMMANDS, Topic.EVENTS


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return Board(clock)


@pytest.fixture
def topics(clock: FakeClock, board: Board) -> OptionalTopics:
    return OptionalTopics(clock, board)


def test_two_closes_within_two_seconds_of_use_suspend_it_for_a_day(
    topics: OptionalTopics, clock: FakeClock, board: Board
) -> None:
    for suspended in (False, True):
        topics.used(COMMANDS)
        clock.advance(1.9)
        assert topics.lost(CLOSED)
        assert topics.suspended(COMMANDS) is suspended
    assert not topics.suspended(EVENTS)
    assert "commands (the broker closes" in board.conditions["topic_suspended"].detail
    clock.advance(86_399)
    assert topics.suspended(COMMANDS)
    clock.advance(1)
    assert not topics.suspended(COMMANDS)
    assert board.conditions == {}


def test_after_the_day_it_takes_two_closes_again(topics: OptionalTopics, clock: FakeClock) -> None:
    for _ in range(2):
        topics.used(EVENTS)
        topics.lost(CLOSED)
    clock.advance(86_400)
    assert not topics.suspended(EVENTS)
    topics.used(EVENTS)
    assert topics.lost(CLOSED)
    assert not topics.suspended(EVENTS)


def test_a_close_after_more_than_two_seconds_blames_nothing(topics: OptionalTopics, clock: FakeClock) -> None:
    for _ in range(5):
        topics.used(EVENTS)
        clock.advance(2.1)
        assert not topics.lost(CLOSED)
    assert not topics.suspended(EVENTS)


def test_an_answer_clears_it(topics: OptionalTopics) -> None:
    for _ in range(5):
        topics.used(EVENTS)
        topics.lost(CLOSED)
        topics.used(EVENTS)
        topics.accepted(EVENTS)
        assert not topics.lost(CLOSED)
    assert not topics.suspended(EVENTS)


def test_only_the_first_one_without_an_answer_is_blamed(topics: OptionalTopics) -> None:
    for _ in range(2):
        topics.used(COMMANDS)
        topics.used(EVENTS)
        topics.lost(CLOSED)
    assert (topics.suspended(COMMANDS), topics.suspended(EVENTS)) == (True, False)


@pytest.mark.parametrize(
    "lost",
    [
        Lost("no PUBACK for 10 s"),
        Lost("another client", code=0x8E, closed_by_broker=True),
        Lost("shutting down", code=0x8B, closed_by_broker=True),
    ],
)
def test_an_end_with_another_reason_blames_nothing(topics: OptionalTopics, lost: Lost) -> None:
    for _ in range(5):
        topics.used(COMMANDS)
        assert not topics.lost(lost)
    assert not topics.suspended(COMMANDS)
