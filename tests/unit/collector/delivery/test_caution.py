from collector.delivery.backoff import Backoff
from collector.delivery.caution import WINDOW, Caution
from collector.delivery.message import Entry
from collector.delivery.mqtt.connection import Lost

CLOSED = Lost("closed by the broker")
TOO_LARGE = Lost("the broker disconnected", code=0x95)


def entry(seq: int, size: int = 10) -> Entry:
    return Entry("t/data", b"x" * size, 0, 0.0, epoch="e", seq=seq)


def test_a_blamed_message_is_first_sent_alone_and_then_given_up() -> None:
    caution = Caution()
    assert caution.lost([entry(1), entry(2)], TOO_LARGE) is None
    assert caution.window == 1
    culprit = caution.lost([entry(1)], TOO_LARGE)
    assert culprit is not None
    assert culprit.seq == 1


def test_one_that_passes_alone_is_cleared() -> None:
    caution = Caution()
    caution.lost([entry(1), entry(2)], TOO_LARGE)
    caution.acknowledged(entry(1))
    assert caution.lost([entry(2)], TOO_LARGE) is None
    assert caution.lost([entry(2)], TOO_LARGE) is not None


def test_plain_closes_never_cost_a_message_no_larger_than_one_that_passed() -> None:
    caution = Caution()
    caution.acknowledged(entry(1, size=10))
    for _ in range(100):
        assert caution.lost([entry(2, size=10)], CLOSED) is None
    assert caution.window == 1


def test_closes_again_and_again_at_the_largest_message_yet_cost_that_message() -> None:
    caution = Caution()
    caution.acknowledged(entry(1, size=10))
    given_up = [caution.lost([entry(2, size=5000)], CLOSED) for _ in range(8)]
    assert [found is not None for found in given_up].index(True) >= 5


def test_a_broker_that_has_taken_nothing_yet_costs_no_message() -> None:
    caution = Caution()
    assert [caution.lost([entry(1)], CLOSED) for _ in range(50)] == [None] * 50


def test_a_close_with_nothing_in_flight_blames_nobody() -> None:
    caution = Caution()
    for _ in range(10):
        assert caution.lost([], TOO_LARGE) is None
    assert caution.window == WINDOW


def test_a_stall_halves_the_window_and_answers_open_it_again() -> None:
    caution = Caution()
    for _ in range(3):
        caution.stall()
    assert (caution.stalled, caution.window) == (True, WINDOW // 8)
    for seq in range(WINDOW):
        caution.acknowledged(entry(seq))
    assert (caution.stalled, caution.window) == (False, WINDOW)


def test_back_off_has_full_jitter_and_a_ceiling() -> None:
    backoff = Backoff(30)
    for ceiling in (1, 2, 4, 8, 16, 30, 30):
        assert 0 <= backoff.next_s() <= ceiling
    backoff.reset()
    assert max(Backoff(30).next_s() for _ in range(100)) <= 1
    waits = [Backoff(30).next_s() for _ in range(300)]
    assert min(waits) < 0.2
    assert max(waits) > 0.8
