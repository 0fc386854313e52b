"""The garbage that the demo writes costs messages, and the collector can name every one of them."""

import random
import re
import shutil
from pathlib import Path

import pytest

from collector.cli.demo.damage import damage
from collector.storage.records import Change, Record, Tally
from tests.unit.collector.storage.damage import contents, letters, opened

NOW_MS = 1_776_412_800_000
TOPIC = "vexplor/devices/edge-demo-001/data"


def killed(folder: Path, *, count: int, acknowledged: int) -> str:
    """A folder with an outbox as kill -9 leaves it: a group commit every two messages; returns the epoch."""
    work = folder.with_name("work")
    work.mkdir()
    store, _ = opened(work)
    epoch = store.begin_epoch(NOW_MS)
    chance = random.Random(count)
    bodies = {seq: chance.randbytes(chance.randint(100, 600)) for seq in range(1, count + 1)}
    for seq in range(1, count, 2):
        store.apply(
            Change(added=tuple(Record(TOPIC, bodies[n], NOW_MS + n, epoch, n) for n in (seq, seq + 1))), Change()
        )
    for seq in range(1, acknowledged + 1):
        store.apply(Change(removed=((seq, seq),), removed_tally=Tally(1, len(bodies[seq]))), Change())
    shutil.copytree(work, folder)
    store.close()
    return epoch


@pytest.mark.parametrize("count", [60, 130, 1_000, 4_000])
@pytest.mark.parametrize("acknowledged", [0, 20])
def test_what_it_costs_is_named_to_the_number(tmp_path: Path, count: int, acknowledged: int) -> None:
    folder = tmp_path / "outbox"
    epoch = killed(folder, count=count, acknowledged=acknowledged)
    assert damage(folder, TOPIC) > 0
    store, said = opened(folder)
    try:
        saved, named = set(contents(store)), _named(letters(store), epoch)
    finally:
        store.close()
    assert said is not None
    assert 0 < len(named) < (count - acknowledged) / 2
    assert saved | named >= set(range(acknowledged + 1, count + 1))
    assert not saved & named


def _named(told: list[str], epoch: str) -> set[int]:
    """The numbers in events, each of which counts right."""
    named: set[int] = set()
    for letter in told:
        found = re.fullmatch(rf"corrupt {epoch} (\d+) (\d+) (\d+)", letter)
        assert found, letter
        first, last, number = map(int, found.groups())
        assert number == last - first + 1
        named |= set(range(first, last + 1))
    return named


def test_where_no_message_lies_nothing_is_damaged(tmp_path: Path) -> None:
    folder = tmp_path / "outbox"
    killed(folder, count=60, acknowledged=0)
    before = [path.read_bytes() for path in sorted(folder.iterdir())]
    assert damage(folder, "t/other") == 0
    assert [path.read_bytes() for path in sorted(folder.iterdir())] == before
