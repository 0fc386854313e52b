"""How soon data flows after a fault, and how fast the backlog goes down. Pure."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.judge.records import Arrival, Fault, Record

_A_BACKLOG = 100
"""Below so many messages a drain is over before its speed can be told."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """The first data after a fault's end; `after_s` is None when none came before the next fault or the end."""

    fault: str
    after_s: float | None
    allowed_s: float


@dataclass(frozen=True, slots=True)
class Drain:
    """A backlog that went out after a fault, and how many times as fast as new samples were made meanwhile."""

    fault: str
    backlog: int
    seconds: float
    times: float


def resumptions(record: Record, first: Sequence[Arrival]) -> Iterator[Resumption]:
    """One for each fault that was given the time to be recovered from."""
    for fault, until in _with_calm(record):
        allowed_s = record.resume_s + fault.notice_s
        fresh = record.replay == "live_first"
        came = next(
            (
                arrival.at - fault.ended
                for arrival in first
                if fault.ended < arrival.at < until and (not fresh or record.made.get(arrival.sample, 0) >= fault.ended)
            ),
            None,
        )
        if came is not None or until - fault.ended > allowed_s:
            yield Resumption(fault.name, came, allowed_s)


def drains(record: Record, first: Sequence[Arrival]) -> Iterator[Drain]:
    """One for each fault that left a backlog which was gone before the next fault began."""
    made = sorted(record.made.values())
    for fault, until in _with_calm(record):
        after = [arrival for arrival in first if arrival.at > fault.ended]
        begun = after[0].at if after else math.inf
        backlog = [arrival for arrival in after if record.made.get(arrival.sample, math.inf) < begun]
        if len(backlog) < _A_BACKLOG or backlog[-1].at > until:
            continue
        seconds = max(backlog[-1].at - begun, 1e-3)
        grown = bisect_right(made, begun + seconds) - bisect_left(made, begun)
        yield Drain(fault.name, len(backlog), seconds, len(backlog) / max(grown, 1))


def _with_calm(record: Record) -> Iterator[tuple[Fault, float]]:
    """Each fault, and when the calm after it ended."""
    faults = sorted(record.faults, key=lambda fault: fault.began)
    for fault, following in pairwise(faults):
        if following.began > fault.ended:
            yield fault, following.began
    if faults:
        yield faults[-1], max(record.made.values(), default=math.inf)
