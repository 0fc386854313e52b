"""The frames of a link as text: which way, when, and how many at most."""

from collector.polling.frames import MOST_BYTES, MOST_FRAMES, Frames
from tests.doubles.clock import FakeClock


def test_a_line_says_when_which_way_and_what() -> None:
    clock = FakeClock()
    frames = Frames(clock)
    frames.sent(b"\x00\x01")
    clock.advance(0.0123)
    frames.received(b"\xff")
    assert [line.strip() for line in frames.lines] == ["0.0 ms -> 00 01", "12.3 ms <- ff"]


def test_only_the_newest_are_kept_and_a_long_one_is_cut() -> None:
    frames = Frames(FakeClock())
    for number in range(MOST_FRAMES + 5):
        frames.sent(bytes([number]))
    frames.received(b"\xab" * (MOST_BYTES + 7))
    assert len(frames.lines) == MOST_FRAMES
    assert "06" in frames.lines[0]
    assert frames.lines[-1].endswith(f"ab … {MOST_BYTES + 7} bytes")
