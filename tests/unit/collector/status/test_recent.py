"""What happened lately is bounded, and the newest comes first."""

import structlog

from collector.status.board import BufferState
from collector.status.durations import BOUNDS_S, Durations
from collector.status.logs import configure_logs
from collector.status.recent import MAX_EVENTS, TRACE_POINTS, BufferTrace, RecentEvents, RecentLines
from tests.doubles.clock import FakeClock


def test_events_are_numbered_and_the_newest_come_first() -> None:
    clock = FakeClock()
    events = RecentEvents(clock)
    for n in range(MAX_EVENTS + 5):
        events.note("gap", {"n": n})
    newest = events.newest(2)
    assert [event.number for event in newest] == [MAX_EVENTS + 5, MAX_EVENTS + 4]
    assert len(events.newest(10 * MAX_EVENTS)) == MAX_EVENTS


def test_lines_of_a_level() -> None:
    lines = RecentLines()
    lines.note("info", "a")
    lines.note("error", "b")
    lines.note("info", "c")
    assert [line.text for line in lines.newest(9, frozenset({"info"}))] == ["c", "a"]
    assert [line.text for line in lines.newest(1, frozenset({"info", "error"}))] == ["c"]


def test_the_log_keeps_its_lines_without_secrets_and_colours() -> None:
    written = configure_logs("INFO", "text", None, secrets=["canary-secret"])
    structlog.get_logger().warning("connected", url="mqtt://u:canary-secret@host")
    (line,) = written.lines.newest(1, frozenset({"warning"}))
    assert "connected" in line.text
    assert "canary" not in line.text
    assert "\x1b" not in line.text


def test_the_trace_shows_the_fullest_moment_of_each_stretch() -> None:
    clock, buffer = FakeClock(), BufferState()
    trace = BufferTrace(buffer, clock)
    for n in range(1000):
        buffer.messages = 500 if n == 503 else 0
        trace.note()
        clock.advance(10)
    stamps, messages, sizes, dropped = trace.points(100)
    assert len(stamps) == len(messages) == len(sizes) == len(dropped) == 100
    assert max(messages) == 500
    assert stamps == sorted(stamps)


def test_the_trace_is_bounded() -> None:
    trace = BufferTrace(BufferState(), FakeClock())
    for _ in range(2 * TRACE_POINTS):
        trace.note()
    assert len(trace.points(100_000)[0]) <= TRACE_POINTS + TRACE_POINTS // 8
    assert BufferTrace(BufferState(), FakeClock()).points(10) == ([], [], [], [])


def test_durations_fall_into_the_bucket_whose_bound_they_do_not_exceed() -> None:
    took = Durations()
    for seconds in (0.0, BOUNDS_S[0], BOUNDS_S[-1] + 1):
        took.note(seconds)
    assert (took.counts[0], took.counts[-1], sum(took.counts)) == (2, 1, 3)
    assert took.total_s == BOUNDS_S[0] + BOUNDS_S[-1] + 1
