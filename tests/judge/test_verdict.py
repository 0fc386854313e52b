"""Each rule of the judge has a record that keeps it and one that breaks it."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.judge.recorded import READ_S, owed
from tests.judge.records import Arrival, Fault, Gap, Id, Life, Record, Restart
from tests.judge.recovery import drains, resumptions
from tests.judge.verdict import RULES, first_arrivals, judge

FIRST, SECOND = 1_000, 2_000
"""Two starts of the collector."""


def came(seq: int, sample: int, *, start: int = FIRST, digest: int = 0, at: float = 0.0) -> Arrival:
    return Arrival(Id(start, seq), sample, digest or sample, at)


def record(*arrivals: Arrival, made: int = 10, **fields: object) -> Record:
    """All ten samples made and owed, a second apart, and these arrivals."""
    samples = {sample: float(sample) for sample in range(1, made + 1)}
    return replace(Record(samples, frozenset(samples), arrivals), **fields)  # type: ignore[arg-type]


def all_of(start: int = FIRST, first: int = 1, last: int = 10) -> list[Arrival]:
    return [came(seq, first + seq - 1, start=start, at=first + seq - 0.9) for seq in range(1, last - first + 2)]


GOOD = record(*all_of())


def broken(judged: Record) -> set[str]:
    return {finding.rule for finding in judge(judged).findings}


def without(*samples: int) -> Sequence[Arrival]:
    return [arrival for arrival in GOOD.arrivals if arrival.sample not in samples]


def test_all_that_was_made_arrived() -> None:
    verdict = judge(GOOD)
    assert verdict.kept
    assert (verdict.owed, verdict.delivered, verdict.lost, verdict.duplicates) == (10, 10, 0, 0)


def test_a_repetition_with_the_same_bytes_is_no_fault() -> None:
    verdict = judge(replace(GOOD, arrivals=[*GOOD.arrivals[:5], *GOOD.arrivals[3:]]))
    assert verdict.kept
    assert verdict.duplicates == 2


def test_a_recorded_sample_that_never_arrived_is_lost() -> None:
    judged = record(*all_of(last=9))
    assert broken(judged) == {"delivered"}
    assert judge(judged).lost == 1


def test_a_sample_that_was_not_yet_recorded_may_be_missing() -> None:
    assert judge(replace(record(*all_of(last=9)), owed=frozenset(range(1, 10)))).kept


def test_a_hole_is_excused_by_an_event_that_names_it_and_by_no_other() -> None:
    hole = replace(GOOD, arrivals=without(4, 5))
    assert broken(hole) == {"delivered", "holes"}
    assert judge(hole).lost == 2
    named = replace(hole, gaps=[Gap(FIRST, 4, 5, 2, "limit")])
    assert judge(named).kept
    assert judge(named).named == 2
    assert broken(replace(hole, gaps=[Gap(FIRST, 4, 4, 1, "limit")])) == {"delivered", "holes"}
    assert broken(replace(hole, gaps=[Gap(SECOND, 4, 5, 2, "limit")])) == {"delivered", "holes"}


def test_a_gap_event_must_add_up_and_may_not_name_what_arrived() -> None:
    hole = replace(GOOD, arrivals=without(4, 5))
    assert broken(replace(hole, gaps=[Gap(FIRST, 4, 5, 3, "limit")])) == {"holes"}
    assert broken(replace(hole, gaps=[Gap(FIRST, 4, 5, 2, "bad luck")])) == {"holes"}
    assert broken(replace(hole, gaps=[Gap(FIRST, 4, 6, 3, "limit")])) == {"holes"}


def test_a_gap_at_the_end_of_a_start_excuses_what_was_lost_there() -> None:
    two = [*all_of(last=5)[:3], *all_of(SECOND, 6, 10)]
    assert broken(record(*two)) == {"delivered"}
    assert judge(record(*two, gaps=[Gap(FIRST, 4, 5, 2, "storage")])).kept


def test_what_the_restart_event_says_was_on_disk_must_have_come() -> None:
    two = [*all_of(last=5)[:3], *all_of(SECOND, 6, 10)]
    allowed = replace(record(*two), owed=frozenset({1, 2, 3, *range(6, 11)}))
    assert judge(replace(allowed, restarts=[Restart(FIRST, 3)])).kept
    assert broken(replace(allowed, restarts=[Restart(FIRST, 5)])) == {"holes"}


def test_nothing_unknown_arrives_and_nothing_under_two_names() -> None:
    assert broken(replace(GOOD, arrivals=[*GOOD.arrivals, came(11, 99)])) == {"known"}
    assert "known" in broken(replace(GOOD, arrivals=[*GOOD.arrivals, came(11, 10)]))


def test_a_repetition_with_other_bytes() -> None:
    assert broken(replace(GOOD, arrivals=[*GOOD.arrivals, came(7, 7, digest=1)])) == {"same_bytes"}


def test_out_of_order() -> None:
    turned = [*GOOD.arrivals]
    turned[3], turned[4] = turned[4], turned[3]
    assert broken(replace(GOOD, arrivals=turned)) == {"order"}


def test_an_older_sample_under_a_higher_number() -> None:
    mixed = [*GOOD.arrivals[:3], came(4, 5), came(5, 4), *GOOD.arrivals[5:]]
    assert "order" in broken(replace(GOOD, arrivals=mixed))


def test_live_first_may_overtake_the_backlog_but_not_itself() -> None:
    backlog = [came(seq, seq) for seq in (1, 2, 3, 4)]
    live = [came(seq, seq) for seq in (5, 6, 7, 8, 9, 10)]
    beside = [live[0], backlog[0], live[1], backlog[1], *live[2:4], *backlog[2:], *live[4:]]
    assert broken(record(*beside)) == {"order"}
    assert judge(record(*beside, replay="live_first")).kept
    assert broken(record(*live, *backlog[::-1], replay="live_first")) == {"order"}
    third = [live[2], backlog[1], backlog[0]]
    assert "order" in broken(record(*third, replay="live_first"))


def test_each_unclean_end_is_told_of() -> None:
    assert broken(replace(GOOD, restarts_due=1)) == {"restarts"}
    assert judge(replace(GOOD, restarts_due=1, restarts=[Restart(FIRST - 1, None)])).kept


def test_a_message_sent_twice_on_one_connection() -> None:
    assert broken(replace(GOOD, repeated=1)) == {"no_resend"}


def test_what_a_killed_broker_had_acknowledged_is_its_own_loss() -> None:
    acknowledged = {Id(FIRST, 4): 4, Id(FIRST, 5): 5}
    hole = replace(GOOD, arrivals=without(4, 5), acknowledged=acknowledged)
    assert broken(hole) == {"delivered", "holes"}
    verdict = judge(replace(hole, broker_forgot=True))
    assert verdict.kept
    assert (verdict.forgotten, verdict.lost, verdict.delivered) == (2, 0, 8)
    assert not judge(replace(hole, arrivals=without(4, 5, 6), broker_forgot=True)).kept


FAULT = Fault("broker down", 3.5, 6.5)


def outage(*, back_at: float, each_s: float, backlog: int = 400, rate: float = 100.0) -> Record:
    """A hundred samples a second, a fault of four seconds, and the backlog going out from a moment on."""
    made = {sample: sample / rate for sample in range(1, round(rate * 60))}
    fault = Fault("broker down", 10.0, 10.0 + backlog / rate)
    arrivals, now = [], 0.0
    for sample, at in made.items():
        now = max(now + each_s, at) if at > fault.began else at
        arrivals.append(came(sample, sample, at=max(now, back_at) if at > fault.began else at))
        now = arrivals[-1].at
    return Record(made, frozenset(made), arrivals, faults=[fault], resume_s=4.0)


def test_data_flows_again_soon_after_a_fault() -> None:
    assert judge(outage(back_at=16.0, each_s=0.001)).kept
    late = outage(back_at=19.0, each_s=0.001)
    assert broken(late) == {"resumed"}
    assert judge(replace(late, faults=[replace(late.faults[0], notice_s=10.0)])).kept


def test_data_that_never_flows_again_is_noticed() -> None:
    silent = replace(GOOD, arrivals=without(7, 8, 9, 10), owed=frozenset(range(1, 7)), faults=[FAULT], resume_s=2)
    assert broken(silent) == {"resumed"}


def test_a_fault_that_the_next_one_follows_at_once_proves_nothing() -> None:
    silent = replace(GOOD, arrivals=without(7, 8, 9, 10), owed=frozenset(range(1, 7)), resume_s=2)
    assert broken(replace(silent, faults=[FAULT, Fault("again", 8.0, 9.5)])) == set()


def test_live_first_means_fresh_data() -> None:
    stale = outage(back_at=16.0, each_s=0.004)
    assert next(resumptions(stale, stale.arrivals)).after_s == pytest.approx(2.0)
    fresh = replace(stale, replay="live_first")
    after_s = next(resumptions(fresh, fresh.arrivals)).after_s
    assert after_s is not None
    assert after_s > 3


def test_a_backlog_drains_three_times_as_fast_as_it_grows() -> None:
    fast, slow = outage(back_at=15.0, each_s=0.002), outage(back_at=15.0, each_s=0.006)
    assert next(drains(fast, fast.arrivals)).times > 3
    assert judge(fast).kept
    assert broken(slow) == {"drained"}


def test_recorded_means_committed_and_synced_after_it_was_read() -> None:
    made = {1: 1.0, 2: 2.0, 3: 2.5, 4: 3.0}
    killed = Life(0.5, 3.0, killed=True)
    assert owed(made, [killed], commit_s=0.1, fsync_s=0.2) == {1, 2, 3}
    assert owed(made, [killed], commit_s=0.5, fsync_s=0.2) == {1, 2}
    assert owed(made, [Life(0.5, 3.0 + READ_S, killed=False)], commit_s=0.5, fsync_s=0.2) == {1, 2, 3, 4}
    assert owed(made, [Life(2.2, 9.0, killed=True)], commit_s=0.1, fsync_s=0.2) == {3, 4}


@given(st.sets(st.integers(1, 200)), st.sets(st.integers(1, 200)))
def test_the_books_always_balance_and_a_loss_is_always_found(missing: set[int], named: set[int]) -> None:
    samples = {sample: float(sample) for sample in range(1, 201)}
    arrivals = [came(sample, sample) for sample in samples if sample not in missing]
    gaps = [Gap(FIRST, seq, seq, 1, "limit") for seq in sorted(named)]
    verdict = judge(Record(samples, frozenset(samples), arrivals, gaps=gaps))
    assert verdict.owed == verdict.delivered + verdict.named + verdict.forgotten + verdict.lost
    assert verdict.lost == len(missing - named)
    assert verdict.kept == (missing == named)


def test_no_rule_is_left_without_a_name() -> None:
    assert len({rule.__name__ for rule in RULES}) == len(RULES) == 9
    assert list(first_arrivals(GOOD).values()) == list(GOOD.arrivals)
