"""The garbage that the demo writes costs messages, and the collector can name every one of them."""

import re
import shutil
from pathlib import Path

import pytest

from collector.cli.demo.damage import damage
from collector.storage.records import Change, Record, Tally
from tests.unit.collector.storage.damage import contents, letters, opened

NOW_MS = 1_776_412_800_000


def killed(folder: Path, *, count: int, acknowledged: int) -> str:
    """A folder with an outbox as kill -9 leaves it: a group commit every two messages; returns the epoch."""
    work = folder.with_name("work")
    work.mkdir()
    store, _ = opened(work)
    epoch = store.begin_epoch(NOW_MS)
    bodies = {seq: b'{"seq": %d}' % seq * 20 for seq in range(1, count + 1)}
    for seq in range(1, count, 2):
        store.apply(
            Change(added=tuple(Record("t/data", bodies[n], NOW_MS + n, epoch, n) for n in (seq, seq + 1))), Change()
        )
    for seq in range(1, acknowledged + 1):
        store.apply(Change(removed=((seq, seq),), removed_tally=Tally(1, len(bodies[seq]))), Change())
    shutil.copytree(work, folder)
    store.close()
    return epoch


@pytest.mark.parametrize(("count", "acknowledged"), [(100, 0), (130, 20), (1_000, 0), (4_000, 1_500)])
def test_what_it_costs_is_named_to_the_number(tmp_path: Path, count: int, acknowledged: int) -> None:
    folder = tmp_path / "outbox"
    epoch = killed(folder, count=count, acknowledged=acknowledged)
    assert damage(folder) > 0
    store, said = opened(folder)
    try:
        saved = set(contents(store))
        named: set[int] = set()
        for letter in letters(store):
            found = re.fullmatch(rf"corrupt {epoch} (\d+) (\d+) (\d+)", letter)
            assert found, letter
            first, last, number = map(int, found.groups())
            assert number == last - first + 1
            named |= set(range(first, last + 1))
    finally:
        store.close()
    assert said is not None
    assert "damaged" in said
    assert len(named) < count - acknowledged
    assert named or acknowledged  # what was written anew while it was acknowledged is there twice
    assert saved | named >= set(range(acknowledged + 1, count + 1))
    assert not saved & named


def test_an_outbox_that_is_not_there_can_not_be_damaged(tmp_path: Path) -> None:
    assert damage(tmp_path) == 0
