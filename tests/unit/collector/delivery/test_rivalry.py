"""Two collectors with one id, noticed by how connections end."""

from collector.delivery.rivalry import Rivalry
from collector.status.board import Board
from tests.doubles.clock import FakeClock


def rivalry() -> tuple[Rivalry, Board]:
    board = Board(FakeClock())
    return Rivalry(board, "gw-7 3f9a2c1b"), board


def close(it: Rivalry, now: float, *, taken_over: bool = True, lived_s: float = 1.0) -> None:
    it.closed(taken_over=taken_over, lived_s=lived_s, now=now, client_id="edge-collector-e")


def test_b8_three_take_overs_within_a_minute_are_a_fight() -> None:
    it, board = rivalry()
    for now in (0, 20):
        close(it, now)
    assert board.conditions == {}
    close(it, 40)
    assert it.holding_back
    detail = board.conditions["duplicate_identity"].detail
    assert "gw-7 3f9a2c1b" in detail
    assert "edge-collector-e" in detail


def test_b8_so_are_three_closes_without_a_word_soon_after_connack() -> None:
    it, board = rivalry()
    for now in (0, 2, 4):
        close(it, now, taken_over=False)
    assert "or the broker closes" in board.conditions["duplicate_identity"].detail


def test_three_in_more_than_a_minute_are_none() -> None:
    it, _ = rivalry()
    for now in (0, 31, 62, 93):
        close(it, now)
    assert not it.holding_back


def test_a_broker_that_was_down_between_is_none() -> None:
    it, _ = rivalry()
    for now in range(10):
        close(it, now, taken_over=False)
        it.nobody_there()
    assert not it.holding_back


def test_connections_that_lived_are_none() -> None:
    it, _ = rivalry()
    for now in (0, 11, 22, 33):
        close(it, now, taken_over=False, lived_s=11)
    assert not it.holding_back


def test_b8_at_most_twelve_connects_in_ten_minutes() -> None:
    for _ in range(200):
        it, _ = rivalry()
        now, connects = 0.0, 0
        while now < 600:
            connects += 1
            close(it, now)
            now += it.next_s() if it.holding_back else 0.1
        assert connects <= 12


def test_the_wait_is_never_short_and_at_most_five_minutes() -> None:
    it, _ = rivalry()
    waits = [it.next_s() for _ in range(50)]
    assert min(waits) >= 7.5
    assert min(waits[5:]) >= 150
    assert max(waits) <= 300


def test_it_is_over_when_a_connection_stood_for_ten_minutes() -> None:
    it, board = rivalry()
    for now in range(3):
        close(it, now)
    it.lives(599)
    assert it.holding_back
    it.lives(600)
    assert board.conditions == {}
    assert it.next_s() <= 15
