"""What one side did while it was watched: every poll that its PLCs saw, and the message that came of it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.benchmarks.figures import quantile
from tests.benchmarks.plc import Plcs
from tests.benchmarks.subscriber import Received

LAST_MESSAGES_S = 0.5
"""So long after the last window its last messages are waited for."""
_CUT_NS = 1_000_000  # a message's time is cut to milliseconds, so it may lie so much before the poll


@dataclass(frozen=True, slots=True)
class Sample:
    """One poll of one device.

    `off_beat_ms`: how far its distance from the poll before is from the interval; `missed`: cycles that were left out
    between the two. `late_ms`: from the PLC's last answer to the subscriber, None when no message came of it.
    """

    asked_ns: int
    requests: int
    off_beat_ms: float
    missed: int
    late_ms: float | None


@dataclass(frozen=True, slots=True)
class Course:
    """The samples of each window, and the processor time of each window for each value that was published in it."""

    windows: tuple[tuple[Sample, ...], ...]
    cpu_us: tuple[float, ...]
    cpu_percent: float
    messages: int
    size_kb: tuple[float, ...]

    @property
    def samples(self) -> list[Sample]:
        """Of all windows."""
        return [sample for window in self.windows for sample in window]

    @property
    def delivered_percent(self) -> float:
        """Of the polls that the PLCs saw."""
        samples = self.samples
        return 100 * sum(sample.late_ms is not None for sample in samples) / max(len(samples), 1)

    @property
    def late_ms(self) -> list[list[float]]:
        """Latencies, window by window; windows in which nothing came are left out."""
        found = [[sample.late_ms for sample in window if sample.late_ms is not None] for window in self.windows]
        return [window for window in found if window]

    @property
    def off_beat_ms(self) -> list[list[float]]:
        """Jitter, window by window."""
        return [[sample.off_beat_ms for sample in window] for window in self.windows if window]


def course(
    plcs: Plcs,
    received: Sequence[Received],
    *,
    tags: int,
    interval_s: float,
    moments: Sequence[int],
    cpu_s: Sequence[float],
) -> Course:
    """From the PLCs' own logs and from what was received. `moments` (wall nanoseconds) are the windows' borders,
    `cpu_s` the side's processor time at each of them; devices are numbered from 1 on, each has so many `tags`."""
    seen = [message for message in received if message.at_ns >= moments[0]]
    found = scans(seen, tags)
    came_ns = [at_ns for of_device in found.values() for _, at_ns in of_device]
    return in_windows(_samples(plcs, found, interval_s), seen, came_ns, tags, moments, cpu_s)


def in_windows(
    samples: Iterable[Sample],
    seen: Sequence[Received],
    came_ns: Sequence[int],
    tags: int,
    moments: Sequence[int],
    cpu_s: Sequence[float],
) -> Course:
    """A sample is of the window in which it was asked for; a message, and a scan of so many tags, of that in which it
    came."""
    samples, windows = list(samples), list(pairwise(moments))
    counts = [sum(since <= at_ns < until for at_ns in came_ns) for since, until in windows]
    spent = [after - before for before, after in pairwise(cpu_s)]
    return Course(
        tuple(tuple(sample for sample in samples if since <= sample.asked_ns < until) for since, until in windows),
        tuple(seconds * 1e6 / (tags * max(count, 1)) for seconds, count in zip(spent, counts, strict=True)),
        100 * sum(spent) * 1e9 / (moments[-1] - moments[0]),
        sum(moments[0] <= message.at_ns < moments[-1] for message in seen),
        tuple(len(message.payload) / 1e3 for message in seen),
    )


def scans(received: Sequence[Received], tags: int) -> dict[int, list[tuple[int, int]]]:
    """By device the scans of which everything came: the time that they name, and when their last message was there.

    A large scan is split into several messages.
    """
    found: defaultdict[int, defaultdict[int, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for message in received:
        device, stamp_ns, values = message.content
        scan = found[device][stamp_ns]
        scan[0] += len(values)
        scan[1] = max(scan[1], message.at_ns)
    return {
        device: sorted((stamp_ns, at_ns) for stamp_ns, (values, at_ns) in of_device.items() if values >= tags)
        for device, of_device in found.items()
    }


def percentiles(windows: Sequence[Sequence[float]], share: float) -> tuple[tuple[float, ...], float]:
    """Each window's, and that of all of them together. Zero where there is none."""
    every = [value for window in windows for value in window]
    return tuple(quantile(window, share) for window in windows) or (0.0,), quantile(every, share) if every else 0.0


def _samples(plcs: Plcs, scans: Mapping[int, Sequence[tuple[int, int]]], interval_s: float) -> Iterator[Sample]:
    for device, polls in enumerate(plcs.polls(interval_s / 2), 1):
        stamped = scans.get(device, ())
        for before, poll in pairwise(polls):
            place = bisect_left(stamped, (poll.asked_ns - _CUT_NS, 0))
            came = place < len(stamped) and stamped[place][0] < poll.answered_ns + interval_s * 0.5e9
            late_ms = (stamped[place][1] - poll.answered_ns) / 1e6 if came else None
            yield Sample(poll.asked_ns, poll.requests, *beat(before.asked_ns, poll.asked_ns, interval_s), late_ms)


def beat(before_ns: int, now_ns: int, interval_s: float) -> tuple[float, int]:
    """How far (ms) a distance is from the interval, or from as many as it is, and how many cycles it left out."""
    apart_s = (now_ns - before_ns) / 1e9
    missed = max(round(apart_s / interval_s) - 1, 0)
    return abs(apart_s - (missed + 1) * interval_s) * 1e3, missed
