"""Sizes, the audience, and the log of the link: what connections teach about the broker."""

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.delivery.audience import Audience
from collector.delivery.encode import MAX_PAYLOAD_BYTES
from collector.delivery.install import install_id
from collector.delivery.link_log import LinkLog
from collector.delivery.sizes import Sizes
from collector.status.board import Board
from collector.status.log_limit import LineLimit
from tests.doubles.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def test_b10_the_announced_limit_counts_with_topic_and_mark(clock: FakeClock) -> None:
    sizes = Sizes(clock)
    assert sizes.body_bytes("t") == MAX_PAYLOAD_BYTES
    sizes.announced(10_000)
    room = sizes.body_bytes("a/topic")
    assert 9_900 < room < 10_000 - len("a/topic")
    assert sizes.objection("a/topic", b"x" * (room + len(',"buffered":true'))) is None
    assert "at most 10000" in str(sizes.objection("a/topic", b"x" * 10_000))
    sizes.announced(None)
    assert sizes.body_bytes("t") == MAX_PAYLOAD_BYTES
    assert sizes.objection("t", b"x" * 10_000_000) is None


def test_b10_a_refusal_as_too_large_is_learned_from(clock: FakeClock) -> None:
    sizes = Sizes(clock)
    sizes.taken(3_000)
    sizes.refused(20_000)
    assert sizes.body_bytes("t") == 10_000
    sizes.refused(10_000)
    assert sizes.body_bytes("t") == 5_000
    sizes.refused(5_000)
    assert sizes.body_bytes("t") == 3_000, "never below what was taken"
    assert "refused one of 5000" in str(sizes.objection("t", b"x" * 5_000))
    assert sizes.objection("t", b"x" * 4_999) is None


def test_b10_what_was_learned_is_tried_anew_and_forgotten_when_it_is_no_longer_so(clock: FakeClock) -> None:
    sizes = Sizes(clock)
    sizes.taken(100)
    sizes.refused(20_000)
    clock.advance(601)
    assert sizes.objection("t", b"x" * 20_000) is None
    sizes.taken(20_000)
    assert sizes.body_bytes("t") == MAX_PAYLOAD_BYTES


def test_b10_a_refusal_says_nothing_of_size_while_nothing_was_taken_or_larger_ones_were(clock: FakeClock) -> None:
    sizes = Sizes(clock)
    sizes.refused(20_000)
    sizes.taken(30_000)
    sizes.refused(20_000)
    assert sizes.body_bytes("t") == MAX_PAYLOAD_BYTES


def test_b11_ten_minutes_without_a_subscriber_are_told(clock: FakeClock) -> None:
    board = Board(clock)
    audience = Audience(clock, board)
    for _ in range(60):
        audience.acknowledged(0x10)
        clock.advance(10)
    assert "no_consumer" not in board.conditions
    audience.acknowledged(0x10)
    assert "61 messages" in board.conditions["no_consumer"].detail
    assert board.broker.unheard == 61
    audience.acknowledged(0x00)
    assert board.conditions == {}


def test_the_log_tells_a_reason_once_an_hour_and_a_return_once(clock: FakeClock) -> None:
    with capture_logs() as logs:
        link = LinkLog(clock, "mqtt://b")
        for _ in range(2 * 3_600):
            link.down("no such host")
            clock.advance(1)
        link.up("5")
        for _ in range(100):
            link.down("closed")
            link.up("5")
            clock.advance(0.3)
    told = [(entry["event"], entry.get("reason")) for entry in logs]
    down, up = "no connection to the broker", "connected to the broker"
    assert told == [(down, "no such host")] * 2 + [(up, None), (down, "closed"), (up, None)]


def test_the_log_tells_it_again_after_a_connection_that_stood(clock: FakeClock) -> None:
    with capture_logs() as logs:
        link = LinkLog(clock, "mqtt://b")
        for _ in range(3):
            link.up("5")
            clock.advance(60)
            link.down("closed")
    assert len(logs) == 6


def test_the_limit_of_the_log_holds_back_no_outage_and_no_return(clock: FakeClock) -> None:
    """Of two within a minute, too: a person who reads it has to see that the second is over."""
    limit = LineLimit(clock.monotonic)
    with capture_logs() as logs:
        link = LinkLog(clock, "mqtt://b")
        link.up("5")
        for reason in ("closed", "no PUBACK"):
            clock.advance(5)
            link.down(reason)
            clock.advance(5)
            link.up("5")
    for entry in logs:
        limit(None, "info", entry)  # raises DropEvent, if it were held back
    assert len(logs) == 5


def test_an_install_id_stays_and_tells_folders_apart() -> None:
    assert install_id(Path("/a")) == install_id(Path("/a"))
    assert install_id(Path("/a")) != install_id(Path("/b"))
