"""What one side did while it was watched: every poll that its PLCs saw, and the message that came of it."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
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
    samples = _samples(plcs, seen, interval_s)
    within = [
        tuple(sample for sample in samples if since <= sample.asked_ns < until) for since, until in pairwise(moments)
    ]
    counts = [sum(since <= message.at_ns < until for message in seen) for since, until in pairwise(moments)]
    spent = [after - before for before, after in pairwise(cpu_s)]
    return Course(
        tuple(within),
        tuple(seconds * 1e6 / (tags * max(count, 1)) for seconds, count in zip(spent, counts, strict=True)),
        100 * sum(spent) * 1e9 / (moments[-1] - moments[0]),
        sum(counts),
        tuple(len(message.payload) / 1e3 for message in seen),
    )


def percentiles(windows: Sequence[Sequence[float]], share: float) -> tuple[tuple[float, ...], float]:
    """Each window's, and that of all of them together. Zero where there is none."""
    every = [value for window in windows for value in window]
    return tuple(quantile(window, share) for window in windows) or (0.0,), quantile(every, share) if every else 0.0


def _samples(plcs: Plcs, received: Sequence[Received], interval_s: float) -> list[Sample]:
    messages: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for message in received:
        device, stamp_ns = message.head
        messages[device].append((stamp_ns, message.at_ns))
    found: list[Sample] = []
    for device, polls in enumerate(plcs.polls(interval_s / 2), 1):
        stamped = sorted(messages[device])
        for before, poll in pairwise(polls):
            apart_s = (poll.asked_ns - before.asked_ns) / 1e9
            missed = max(round(apart_s / interval_s) - 1, 0)
            place = bisect_left(stamped, (poll.asked_ns - _CUT_NS, 0))
            came = place < len(stamped) and stamped[place][0] < poll.answered_ns + interval_s * 0.5e9
            late_ms = (stamped[place][1] - poll.answered_ns) / 1e6 if came else None
            off_beat_ms = abs(apart_s - (missed + 1) * interval_s) * 1e3
            found.append(Sample(poll.asked_ns, poll.requests, off_beat_ms, missed, late_ms))
    return found
