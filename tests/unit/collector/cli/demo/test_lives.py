"""The books over a collector that was killed."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collector.cli.demo.lives import Life, Lives, left_behind
from collector.status.board import BufferState
from collector.storage.records import Change
from simulators.ledger import Account, Gap
from simulators.number_set import NumberSet
from tests.unit.collector.cli.demo.test_damage import killed
from tests.unit.collector.storage.damage import opened

COUNT = st.integers(0, 50)


def numbers(first: int, last: int) -> NumberSet:
    made = NumberSet()
    if first <= last:
        made.add_range(first, last)
    return made


def test_without_an_end_the_counts_are_the_collectors_own() -> None:
    counts = BufferState(messages=3, bytes=900, recorded=10, acknowledged=6, dropped=1)
    total = Lives().total(counts, {})
    assert (total.recorded, total.acknowledged, total.messages, total.dropped) == (10, 6, 3, 1)


@given(acknowledged=COUNT, waited=COUNT, lost=COUNT, young=COUNT, sent=COUNT)
def test_they_add_up_and_every_message_counts_once(
    acknowledged: int, waited: int, lost: int, young: int, sent: int
) -> None:
    """A first life ends with some of its messages waiting; damage takes some of those; the next one goes on."""
    lost = min(lost, waited)
    first = Life("a", 0, numbers(acknowledged + 1, acknowledged + waited))
    account = Account("edge", "a", seqs=numbers(1, acknowledged), gaps=[])
    if lost:
        account.gaps.append(Gap(acknowledged + 1, acknowledged + lost, "corrupt"))
    recorded = waited + young
    sent = min(sent, recorded - lost)
    counts = BufferState(messages=recorded - lost - sent, recorded=recorded, acknowledged=sent, dropped=lost)
    total = Lives([first], found=waited).total(counts, {"a": account})
    assert total.recorded == acknowledged + waited + young
    assert total.acknowledged == acknowledged + sent
    assert (total.messages, total.dropped) == (counts.messages, lost)
    assert total.recorded == total.acknowledged + total.messages + total.dropped


def test_what_arrived_after_all_counts_as_recorded_once() -> None:
    life = Life("a", 0, numbers(5, 9))
    assert life.recorded(None) == 5
    assert life.recorded(Account("edge", "a", seqs=numbers(1, 7), gaps=[])) == 9


def test_what_a_killed_collector_leaves_behind_is_read_from_its_file(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    epoch = killed(folder, count=40, acknowledged=10)
    left = left_behind(folder, epoch, BufferState(messages=7))
    assert (left.messages, left.numbers.ranges()) == (30, [(11, 40)])
    store, said = opened(folder)  # and it was only looked at
    store.apply(Change(), Change())
    store.close()
    assert said is None


def test_where_nothing_can_be_read_the_last_count_serves(tmp_path: Path) -> None:
    left = left_behind(tmp_path, "a", BufferState(messages=7))
    assert (left.messages, left.numbers.ranges()) == (7, [])
