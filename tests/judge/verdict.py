"""The verdict. Pure: records in, findings out; a record without findings is one that kept the promise:

*A sample is recorded within ``BUFFER_COMMIT_MS`` and one fsync of being read; every recorded sample is published at
least once, in order, with its own timestamp, or an event names exactly what was dropped and why.*
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.judge.records import Arrival, Id, Record
from tests.judge.recovery import drains, resumptions

SOON_S = 2.0
"""A backlog that is gone by then went fast enough, however slow the link was before."""

REASONS = frozenset({"limit", "refused", "corrupt", "storage", "cleared"})
_FIRST, _LAST = Id(-1, 0), Id(1 << 62, 0)


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that was broken, and where."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, and the figures. `owed` = `delivered` + `named` + `forgotten` (by the broker) + `lost`."""

    findings: tuple[Finding, ...]
    made: int
    owed: int
    delivered: int
    named: int
    forgotten: int
    lost: int
    arrived: int
    duplicates: int
    restarts: int

    @property
    def kept(self) -> bool:
        """Whether the promise was kept."""
        return not self.findings

    def __str__(self) -> str:
        figures = (
            f"owed {self.owed} = delivered {self.delivered} + named {self.named} + "
            f"forgotten by the broker {self.forgotten} + lost {self.lost}; duplicates {self.duplicates}"
        )
        return "\n".join([figures, *(f"{finding.rule}: {finding.words}" for finding in self.findings)])


def judge(record: Record) -> Verdict:
    """Hold every rule against a record."""
    first = first_arrivals(record)
    missing = record.owed - {arrival.sample for arrival in first.values()}
    forgotten = missing & frozenset(record.acknowledged.values()) if record.broker_forgot else frozenset()
    stretches = list(_stretches(record, first, missing - forgotten))
    lost = sum(stretch.lost for stretch in stretches)
    return Verdict(
        findings=tuple(finding for rule in RULES for finding in rule(record, first)),
        made=len(record.made),
        owed=len(record.owed),
        delivered=len(record.owed) - len(missing),
        named=len(missing) - len(forgotten) - lost,
        forgotten=len(forgotten),
        lost=lost,
        arrived=len(first),
        duplicates=len(record.arrivals) - len(first),
        restarts=len(record.restarts),
    )


def first_arrivals(record: Record) -> dict[Id, Arrival]:
    """Each message's first arrival, in the order of arrival."""
    first: dict[Id, Arrival] = {}
    for arrival in record.arrivals:
        first.setdefault(arrival.id, arrival)
    return first


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Between two neighbours that arrived: samples that are missing, and how many messages are named as lost there."""

    samples: tuple[int, ...]
    named: int

    @property
    def lost(self) -> int:
        return max(0, len(self.samples) - self.named)


def _stretches(record: Record, first: dict[Id, Arrival], missing: frozenset[int]) -> Iterator[_Stretch]:
    """One PLC counts up, one message a reading: so a missing sample lies where its neighbours' ids say."""
    samples = sorted(missing)
    named = sorted({name for gap in record.gaps for name in gap.ids()} - first.keys())
    came = [(_FIRST, -1), *((known, first[known].sample) for known in sorted(first)), (_LAST, 1 << 62)]
    for (low_id, low), (high_id, high) in pairwise(came):
        between = tuple(samples[bisect_right(samples, low) : bisect_left(samples, high)])
        if between:
            yield _Stretch(between, bisect_left(named, high_id) - bisect_right(named, low_id))


def delivered(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """Every recorded sample arrives at least once, or its place is named as lost."""
    missing = record.owed - {arrival.sample for arrival in first.values()}
    if record.broker_forgot:
        missing -= frozenset(record.acknowledged.values())
    for stretch in _stretches(record, first, missing):
        if stretch.lost:
            ends = f"samples {stretch.samples[0]} to {stretch.samples[-1]}"
            yield Finding("delivered", f"{stretch.lost} of {ends} were recorded and neither arrived nor were named")


def known(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """Nothing arrives that was never made, and no sample under two names."""
    names: dict[int, Id] = {}
    for arrival in first.values():
        if arrival.sample not in record.made:
            yield Finding("known", f"{arrival.id} brings sample {arrival.sample}, which was never made")
        elif (other := names.setdefault(arrival.sample, arrival.id)) != arrival.id:
            yield Finding("known", f"sample {arrival.sample} came as {other} and as {arrival.id}")


def same_bytes(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """A repetition says what the first one said, to the byte."""
    differing = {arrival.id for arrival in record.arrivals if arrival.digest != first[arrival.id].digest}
    for name in sorted(differing):
        yield Finding("same_bytes", f"{name} came again with other bytes")


def order(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """First arrivals come in the order of their ids; with `live_first` they are two such streams, backlog and live."""
    by_id = sorted(first)
    for earlier, later in pairwise(by_id):
        if first[earlier].sample >= first[later].sample:
            yield Finding("order", f"{later} follows {earlier}, but brings an older sample")
    tails = [_FIRST] * (2 if record.replay == "live_first" else 1)
    for arrival in first.values():
        # The youngest stream that it continues is the one it belongs to, if any.
        place = max(
            (place for place, tail in enumerate(tails) if tail < arrival.id), key=tails.__getitem__, default=None
        )
        if place is None:
            yield Finding("order", f"{arrival.id} came first after {max(tails)}")
        else:
            tails[place] = arrival.id


def holes(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """Every number up to the last one known arrived or is named as lost, not both, and the names add up."""
    named = {name for gap in record.gaps for name in gap.ids()}
    for gap in record.gaps:
        if gap.count != gap.last - gap.first + 1 or gap.reason not in REASONS:
            yield Finding("holes", f"a gap event does not add up: {gap}")
    for both in sorted(named & first.keys()):
        yield Finding("holes", f"{both} was named as lost, but arrived")
    excused = frozenset(record.acknowledged) if record.broker_forgot else frozenset()
    for started_ms, last in _last_known(record, first, named).items():
        seqs = (Id(started_ms, seq) for seq in range(1, last + 1))
        unnamed = [name.seq for name in seqs if name not in first and name not in named and name not in excused]
        for low, high in _ranges(unnamed):
            yield Finding("holes", f"{low} to {high} of start {started_ms} neither arrived nor were named as lost")


def _last_known(record: Record, first: dict[Id, Arrival], named: set[Id]) -> dict[int, int]:
    last: dict[int, int] = {}
    said = {Id(start.started_ms, start.last_seq) for start in record.restarts if start.started_ms and start.last_seq}
    for name in (*first, *named, *said):
        last[name.started_ms] = max(name.seq, last.get(name.started_ms, 0))
    return last


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    begin = 0
    for end, number in enumerate(numbers, 1):
        if end == len(numbers) or numbers[end] != number + 1:
            yield numbers[begin], number
            begin = end


def restarts(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """Every start that ended without a clean stop is told of."""
    told = len({restart.started_ms for restart in record.restarts})
    if told < record.restarts_due:
        yield Finding("restarts", f"{record.restarts_due} starts ended uncleanly, {told} were told of")


def no_resend(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """MQTT 5 forbids to send a message again on the connection it was sent on."""
    if record.repeated:
        yield Finding("no_resend", f"{record.repeated} messages were sent twice on one connection")


def resumed(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """After a fault data flows again soon: of the backlog with `fifo`, fresh with `live_first`."""
    for resumption in resumptions(record, list(first.values())):
        if resumption.after_s is None or resumption.after_s > resumption.allowed_s:
            when = "never" if resumption.after_s is None else f"after {resumption.after_s:.1f} s"
            yield Finding("resumed", f"{resumption.fault}: {when}, expected within {resumption.allowed_s:g} s")


def drained(record: Record, first: dict[Id, Arrival]) -> Iterator[Finding]:
    """A backlog goes down at least three times as fast as it grows."""
    for drain in drains(record, list(first.values())):
        if drain.times < 3 and drain.seconds > SOON_S:
            yield Finding("drained", f"{drain.fault}: {drain.backlog} messages {drain.times:.1f} × as fast as made")


Rule = Callable[[Record, dict[Id, Arrival]], Iterator[Finding]]
RULES: tuple[Rule, ...] = (
    delivered, known, same_bytes, order, holes, restarts, no_resend, resumed, drained,
)  # fmt: skip
