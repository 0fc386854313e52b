"""What happened lately, in memory: the newest events and lines of the log, and how full the buffer was."""

from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from collector.clock import Clock
from collector.status.board import BufferState

MAX_EVENTS = 1_000
MAX_LINES = 1_000
TRACE_EVERY_S = 10.0
TRACE_POINTS = 8_640


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as it went to the broker, or would have; `number` rises by one with each."""

    number: int
    stamp_ms: int
    kind: str
    fields: Mapping[str, object]


class RecentEvents:
    """The newest events, also those that were not published.

    `note` may be called from any thread.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._events: deque[Happening] = deque(maxlen=MAX_EVENTS)
        self._number = 0

    def note(self, kind: str, fields: Mapping[str, object]) -> None:
        """Something happened now."""
        self._number += 1
        self._events.append(Happening(self._number, self._clock.wall_ms(), kind, fields))

    def newest(self, limit: int) -> list[Happening]:
        """The newest first."""
        return list(self._events)[: -limit - 1 : -1]


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line as it was written, secrets masked; `level` as `logging` names it, in lower case."""

    level: str
    text: str


class RecentLines:
    """The newest lines of the log."""

    def __init__(self) -> None:
        self._lines: deque[LogLine] = deque(maxlen=MAX_LINES)

    def note(self, level: str, text: str) -> None:
        """A line was written."""
        self._lines.append(LogLine(level, text))

    def newest(self, limit: int, levels: frozenset[str]) -> list[LogLine]:
        """The newest first, of these levels."""
        chosen = [line for line in reversed(self._lines.copy()) if line.level in levels]
        return chosen[:limit]


class BufferTrace:
    """How full the outbox was over the last day, a point every ten seconds."""

    def __init__(self, buffer: BufferState, clock: Clock) -> None:
        self._buffer = buffer
        self._clock = clock
        self._columns = tuple(array("q") for _ in range(4))

    def note(self) -> None:
        """Take a point now; to be called every `TRACE_EVERY_S`."""
        counts = self._buffer
        point = (self._clock.wall_ms(), counts.messages, counts.bytes, counts.dropped)
        for column, figure in zip(self._columns, point, strict=True):
            column.append(figure)
            if len(column) > TRACE_POINTS + TRACE_POINTS // 8:
                del column[:-TRACE_POINTS]

    def points(self, most: int) -> tuple[list[int], list[int], list[int], list[int]]:
        """Stamps in ms, messages, bytes and dropped; at most so many points, each the fullest of its stretch."""
        stamps, messages, sizes, dropped = self._columns
        step = -(-len(stamps) // most) or 1
        fullest = [
            max(range(start, min(start + step, len(stamps))), key=messages.__getitem__)
            for start in range(0, len(stamps), step)
        ]
        return (
            [stamps[at] for at in fullest],
            [messages[at] for at in fullest],
            [sizes[at] for at in fullest],
            [dropped[at] for at in fullest],
        )
