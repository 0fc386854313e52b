"""Each protocol through the whole collector: from its simulator, in a process of its own, to the subscriber."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.benchmarks.course import percentiles
from tests.benchmarks.drivers import Case
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.polling import Windows
from tests.benchmarks.processes import cpu_s, first_line, peak_rss_mb, running
from tests.benchmarks.site import Site, collector, sleep_until_fraction, wall_fraction
from tests.benchmarks.subscriber import Received

SUBJECT = "end to end: every second"
_INTERVAL_S = 1.0
_HEARD_WITHIN_S = 60.0
_BETWEEN_POLLS = 0.5


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a device in the windows: values in % of those due, and window by window the processor time a value,
    from a message's own time to the subscriber, and how far its time is off the beat."""

    delivered_percent: float
    cpu_us: tuple[float, ...]
    late_ms: tuple[tuple[float, ...], ...]
    off_beat_ms: tuple[tuple[float, ...], ...]


def measure(at: Site, cases: Sequence[Case], sizes: Sequence[int], windows: Windows) -> Iterator[Figure]:
    """A collector for each case and each number of tags, one after the other."""
    for case in cases:
        for tags in sizes:
            seen, rss_mb = _watch(at, case, tags, windows)
            yield from _figures(f"{case.name}, {tags:,} tags", seen, rss_mb)


def seen_in(received: Sequence[Received], tags: int, moments: Sequence[int], cpu: Sequence[float]) -> Seen:
    """From all that came of the one device, which has so many `tags`. `moments` (wall nanoseconds) are the windows'
    borders, `cpu` the processor time at each of them, in seconds."""
    stamps = sorted({message.stamp_ns for message in received})  # the parts of one poll have one
    beats = [(later, abs(later - sooner - _INTERVAL_S * 1e9) / 1e6) for sooner, later in pairwise(stamps)]
    values: list[int] = []
    late: list[tuple[float, ...]] = []
    off_beat: list[tuple[float, ...]] = []
    for since, until in pairwise(moments):
        within = [message for message in received if since <= message.at_ns < until]
        values.append(sum(len(json.loads(message.payload)["tags"]) for message in within))
        late.append(tuple((message.at_ns - message.stamp_ns) / 1e6 for message in within))
        off_beat.append(tuple(off for at_ns, off in beats if since <= at_ns < until))
    due = tags * round((moments[-1] - moments[0]) / 1e9 / _INTERVAL_S)
    spent = (after - before for before, after in pairwise(cpu))
    cpu_us = tuple(seconds * 1e6 / max(count, 1) for seconds, count in zip(spent, values, strict=True))
    return Seen(100 * sum(values) / due, cpu_us, tuple(late), tuple(off_beat))


def _watch(at: Site, case: Case, tags: int, windows: Windows) -> tuple[Seen, float]:
    with running([sys.executable, "-m", "tests.benchmarks.devices", case.device, "1", str(tags)]) as simulator:
        port = int(first_line(simulator))
        with collector(at, case.entry(tags, port)) as (edge_id, process):
            process.start()
            _until_whole(at, edge_id, tags)
            time.sleep(windows.warm_up_s)
            phase = (wall_fraction(at.subscriber.of(edge_id)[-1].stamp_ns) + _BETWEEN_POLLS) % 1
            sleep_until_fraction(phase)
            moments, spent = [time.time_ns()], [cpu_s(process.pid)]
            for _ in range(windows.count):
                time.sleep(windows.seconds - 0.5)
                sleep_until_fraction(phase)
                moments.append(time.time_ns())
                spent.append(cpu_s(process.pid))
            rss_mb = peak_rss_mb(process.pid)
            received = at.subscriber.of(edge_id)
    at.subscriber.forget(edge_id)
    return seen_in(received, tags, moments, spent), rss_mb


def _until_whole(at: Site, edge_id: str, tags: int) -> None:
    """Until a poll has a value of every tag: a subscription hears of them bit by bit. Raises `TimeoutError`."""
    heard, patience_ends = 0, time.monotonic() + _HEARD_WITHIN_S
    while time.monotonic() < patience_ends:
        at.subscriber.until(edge_id, heard + 1, _HEARD_WITHIN_S)
        received = at.subscriber.of(edge_id)
        heard, last = len(received), received[-1].stamp_ns
        if sum(len(json.loads(message.payload)["tags"]) for message in received if message.stamp_ns == last) == tags:
            return
    raise TimeoutError(f"{edge_id} had no poll with all of {tags:,} tags within {_HEARD_WITHIN_S:g} s")


def _figures(case: str, seen: Seen, rss_mb: float) -> Iterator[Figure]:
    def figure(name: str, unit: str, values: Sequence[float], target: Target | None = None) -> Figure:
        return Figure(SUBJECT, name, unit, tuple(values), target, case=case)

    yield figure("delivered", "%", [seen.delivered_percent], Target("=", 100))
    yield figure("CPU per value", "µs", seen.cpu_us)
    yield figure("memory (RSS)", "MB", [rss_mb])
    for name, windows in (("latency", seen.late_ms), ("off beat", seen.off_beat_ms)):
        for called, share in (("median", 0.5), ("p99", 0.99)):
            values, whole = percentiles([window for window in windows if window], share)
            yield Figure(SUBJECT, f"{name}, {called}", "ms", values, whole=whole, case=case)
