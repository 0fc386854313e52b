"""What one side did where nobody sees a poll, for the PLC tells by itself: every turn of the PLC's values, and the
first messages that had all of it."""

from collections.abc import Iterator, Mapping, Sequence

from tests.benchmarks.course import Course, Sample, beat, in_windows, scans
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import READINGS, Variant, reading, turn

_DEVICE = 1


def told_course(
    received: Sequence[Received], variant: Variant, *, moments: Sequence[int], cpu_s: Sequence[float]
) -> Course:
    """From what was received of device 1; `moments` and `cpu_s` as of `course`.

    A turn is delivered by the first scan in which no value is older than it. Latency counts from the time that this
    scan names, jitter is that of these times.
    """
    seen = [message for message in received if message.at_ns >= moments[0]]
    stamped = scans(received, len(variant.tags)).get(_DEVICE, [])
    samples = _samples(stamped, _oldest_turns(received, variant), variant, moments)
    return in_windows(samples, seen, [at_ns for _, at_ns in stamped], len(variant.tags), moments, cpu_s)


def _samples(
    stamped: Sequence[tuple[int, int]], oldest: Mapping[int, int], variant: Variant, moments: Sequence[int]
) -> Iterator[Sample]:
    first, last = (turn(moment / 1e9, variant.interval_s) for moment in (moments[0], moments[-1]))
    for now in range(first, last + 1):
        begun_ns = round(now * variant.interval_s * 1e9)
        place = next((place for place, (stamp_ns, _) in enumerate(stamped) if oldest[stamp_ns] >= now), None)
        if place is None:
            yield Sample(begun_ns, 0, 0.0, 0, None)
            continue
        stamp_ns, at_ns = stamped[place]
        before_ns = stamped[place - 1][0] if place else stamp_ns - round(variant.interval_s * 1e9)
        yield Sample(begun_ns, 0, *beat(before_ns, stamp_ns, variant.interval_s), (at_ns - stamp_ns) / 1e6)


def _oldest_turns(received: Sequence[Received], variant: Variant) -> Mapping[int, int]:
    """By a scan's time: of which turn its oldest value is."""
    found: dict[int, int] = {}
    for message in received:
        _, stamp_ns, values = message.content
        now = turn(stamp_ns / 1e9, variant.interval_s)
        oldest = now - max((_turns_ago(name, value, now) for name, value in values.items()), default=0)
        found[stamp_ns] = min(oldest, found.get(stamp_ns, now))
    return found


def _turns_ago(name: str, value: float, now: int) -> int:
    """How old a value is; below nought if it is of the turn that began within the millisecond."""
    added = round(value * 10) - reading(int(name.rpartition("_")[2]))
    return (now - added + READINGS // 2) % READINGS - READINGS // 2
