"""The steady state: a device of 1,000 tags, and the floor beside it, which polls between its polls."""

import sys
import time
from bisect import bisect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.figures import Figure, Target, quantile
from tests.benchmarks.plc import Plc, Poll, plc
from tests.benchmarks.processes import cpu_s, rss_mb, running
from tests.benchmarks.site import Installation, Site, installation, sleep_until_fraction, wall_fraction
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import TAGS, Variant, words

FLOOR = Path(__file__).with_name("floor.py")
_FLOOR_EDGE = "floor"
_FLOOR_LATER_S, _WINDOW_LATER_S = 0.55, 0.23
_ENOUGH_FOR_P99 = 100
_START_WITHIN_S = 20.0


@dataclass(frozen=True, slots=True)
class Windows:
    """How many are measured, how long each, after how long a warm-up."""

    count: int
    seconds: int
    warm_up_s: int


@dataclass(frozen=True, slots=True)
class Course:
    """What one side did in the windows. `cpu_us` is for each published value, one figure a window."""

    cpu_us: tuple[float, ...]
    polls: tuple[Poll, ...]
    received: tuple[Received, ...]
    rss_mb: float

    @property
    def after_answer_ms(self) -> list[float]:
        """From the PLC's last answer of each poll to the subscriber."""
        answered = [poll.answered_ns for poll in self.polls]
        before = [(message, bisect(answered, message.at_ns)) for message in self.received]
        return [(message.at_ns - answered[place - 1]) / 1e6 for message, place in before if place]

    @property
    def after_stamp_ms(self) -> list[float]:
        """From the time in each message, which is cut to milliseconds, to the subscriber."""
        return [(message.at_ns - message.stamp_ns) / 1e6 for message in self.received]

    def off_beat_ms(self, interval_s: float) -> list[float]:
        """By how much the polls were further apart, or less, than they should be."""
        apart_ns = [after.asked_ns - before.asked_ns for before, after in pairwise(self.polls)]
        return [abs(ns - interval_s * 1e9) / 1e6 for ns in apart_ns]


@dataclass(frozen=True, slots=True)
class _Side:
    """A process that polls, what it polls, and under which id it publishes."""

    pid: int
    plc: Plc
    edge_id: str
    interval_s: float

    def course(self, moments: Sequence[int], cpu: Sequence[float], received: Sequence[Received]) -> Course:
        """What it did between the first and the last moment (wall nanoseconds)."""
        counts = [_between(received, since, until) for since, until in pairwise(moments)]
        spent = [after - before for before, after in pairwise(cpu)]
        span = range(moments[0], moments[-1])
        return Course(
            tuple(seconds * 1e6 / (TAGS * max(count, 1)) for seconds, count in zip(spent, counts, strict=True)),
            tuple(poll for poll in self.plc.polls(self.interval_s / 2) if poll.asked_ns in span),
            tuple(message for message in received if message.at_ns in span),
            rss_mb(self.pid),
        )


def measure(at: Site, variant: Variant, windows: Windows) -> list[Figure]:
    """The figures of one variant."""
    with installation(at, variant) as made:
        phase = start(at, made)
        with _floor(at, variant.interval_s, (phase + _FLOOR_LATER_S) % 1) as floor:
            sides = (_Side(made.collector.pid, made.plc, made.edge_id, variant.interval_s), floor)
            ours, bare = _watch(at, sides, windows, (phase + _WINDOW_LATER_S) % 1)
        return _figures(variant, ours, bare)


def start(at: Site, made: Installation) -> float:
    """Start the collector; returns where in the second its polls lie."""
    made.collector.start()
    try:
        at.subscriber.until(made.edge_id, 1, _START_WITHIN_S)
    except TimeoutError as error:
        raise RuntimeError(f"{error}; the collector said:\n{made.collector.log[-3000:]}") from None
    return wall_fraction(at.subscriber.of(made.edge_id)[0].at_ns)


@contextmanager
def _floor(at: Site, interval_s: float, phase: float) -> Iterator[_Side]:
    with (
        plc(at.folder, words(TAGS)) as polled,
        running(
            [sys.executable, FLOOR, str(polled.port), str(at.broker_port), str(interval_s), f"{phase:.3f}"]
        ) as process,
    ):
        yield _Side(process.pid, polled, _FLOOR_EDGE, interval_s)


def _watch(at: Site, sides: Sequence[_Side], windows: Windows, phase: float) -> list[Course]:
    """Windows begin and end between polls, so each holds the same number of them."""
    time.sleep(windows.warm_up_s)
    sleep_until_fraction(phase)
    moments, spent = [time.time_ns()], [[cpu_s(side.pid)] for side in sides]
    for _ in range(windows.count):
        time.sleep(windows.seconds - 0.5)
        sleep_until_fraction(phase)
        moments.append(time.time_ns())
        for side, so_far in zip(sides, spent, strict=True):
            so_far.append(cpu_s(side.pid))
    return [side.course(moments, cpu, at.subscriber.of(side.edge_id)) for side, cpu in zip(sides, spent, strict=True)]


def _figures(variant: Variant, ours: Course, bare: Course) -> list[Figure]:
    def figure(
        name: str, unit: str, values: Sequence[float], target: Target | None = None, floor: Sequence[float] = ()
    ) -> Figure:
        return Figure(variant.name, name, unit, tuple(values), target, tuple(floor))

    def with_p99(
        name: str, values: Sequence[float], floor: Sequence[float], target: Target | None = None
    ) -> list[Figure]:
        whole = figure(name, "ms", values, target, floor)
        if min(len(values), len(floor)) < _ENOUGH_FOR_P99:
            return [whole]
        return [whole, figure(f"{name}, p99", "ms", [quantile(values, 0.99)], None, [quantile(floor, 0.99)])]

    distinct = len({message.identity for message in ours.received})
    eight = Target("=", 8) if variant.registers == TAGS else None
    interval_s = variant.interval_s
    return [
        figure("CPU per published value", "µs", ours.cpu_us, Target("≤", 5), bare.cpu_us),
        figure("memory (RSS)", "MB", [ours.rss_mb], Target("<", 80), [bare.rss_mb]),
        figure("requests a poll", "", [poll.requests for poll in ours.polls], eight),
        figure("messages a poll", "", [len(ours.received) / len(ours.polls)], Target("=", 1)),
        figure("polls delivered", "%", [100 * distinct / len(ours.polls)], Target("=", 100)),
        figure("size of a message", "kB", [len(message.payload) / 1e3 for message in ours.received]),
        *with_p99("last answer → subscriber", ours.after_answer_ms, bare.after_answer_ms, Target("<", 10)),
        *with_p99("message's time → subscriber", ours.after_stamp_ms, bare.after_stamp_ms),
        *with_p99("jitter between polls", ours.off_beat_ms(interval_s), bare.off_beat_ms(interval_s)),
    ]


def _between(received: Sequence[Received], since: int, until: int) -> int:
    return sum(since <= message.at_ns < until for message in received)
