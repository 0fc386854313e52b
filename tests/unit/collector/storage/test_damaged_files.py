"""Damaged outbox files by the hundred: none keeps the outbox from opening, and what is sound is saved.

``DAMAGED_FILES=2000`` in the environment takes as many; the seeds are 0, 1, 2 …, so a failure can be repeated.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from collector.storage.errors import StorageFailed
from collector.storage.opening import open_outbox
from collector.storage.outbox_store import FILE_NAME
from tests.unit.collector.storage.damage import (
    BIG,
    LOG_NAME,
    PAGE,
    Specimen,
    contents,
    damaged,
    gap_letter,
    letters,
    opened,
    specimen,
)

FILES = int(os.environ.get("DAMAGED_FILES", "150"))


@pytest.fixture(scope="module")
def specimens(tmp_path_factory: pytest.TempPathFactory) -> list[Specimen]:
    home = tmp_path_factory.mktemp("specimens")
    return [
        specimen(home / "whole", count=400, largest=900, acknowledged=0, closed=True),
        specimen(home / "drained", count=600, largest=900, acknowledged=350, closed=True),
        specimen(home / "large", count=120, largest=9000, acknowledged=20, closed=True),
        specimen(home / "cut off", count=300, largest=900, acknowledged=50, closed=False),
    ]


def saved_from(folder: Path) -> tuple[dict[int, bytes], float, list[str]]:
    """What an outbox still has, also if found damaged only while it is read; the seconds that took; its letters."""
    began = time.monotonic()
    store, _ = opened(folder)
    try:
        store.begin_epoch(1_776_412_900_000)
        found, told = contents(store), letters(store)
    except StorageFailed as trouble:
        store.close()
        store, _ = open_outbox(folder, BIG, gap_letter, distrust=str(trouble))
        store.begin_epoch(1_776_412_900_000)
        found, told = contents(store), letters(store)
    took_s = time.monotonic() - began
    store.close()
    return found, took_s, told


@pytest.mark.timeout(3600)
def test_d7_no_damage_keeps_it_from_starting_and_the_sound_rows_are_saved(
    specimens: list[Specimen], tmp_path: Path
) -> None:
    untouched_rows, saved_rows, slowest_s = 0, 0, 0.0
    worst: dict[str, int] = {}
    for seed in range(FILES):
        one = specimens[seed % len(specimens)]
        what, untouched = damaged(one, tmp_path / "it", seed)
        found, took_s, _ = saved_from(tmp_path / "it")
        shutil.rmtree(tmp_path / "it")
        changed = {seq for seq, body in found.items() if one.bodies.get(seq, body) != body}
        assert not changed, f"{what}: {changed} are not what was stored"
        lost = untouched - found.keys()
        if lost:
            worst[f"{one.folder.name}: {what}"] = len(lost)
        untouched_rows += len(untouched)
        saved_rows += len(untouched & found.keys())
        slowest_s = max(slowest_s, took_s)
    worst_told = sorted(worst.items(), key=lambda item: -item[1])[:20]
    print(f"{FILES} files: {saved_rows} of {untouched_rows} sound rows saved, slowest start {slowest_s:.2f} s")
    assert saved_rows >= 0.99 * untouched_rows, worst_told
    assert slowest_s <= 10


def test_d7_losses_are_named_from_their_neighbours(tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=300, largest=900, acknowledged=40, closed=True)
    file = one.folder / FILE_NAME
    content = bytearray(file.read_bytes())
    lost = {seq for seq, places in one.places.items() if {place[2] // PAGE for place in places} & {20, 21, 30}}
    for page in (20, 21, 30):
        content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    file.write_bytes(content)
    found, _, told = saved_from(one.folder)
    assert one.bodies.keys() - found.keys() >= lost - found.keys() != set()
    named: set[int] = set()
    count = 0
    for letter in told:
        if letter.startswith("corrupt"):
            _, epoch, first, last, number = letter.split()
            assert epoch == one.epoch
            named |= set(range(int(first), int(last) + 1))
            count += int(number)
    assert named == one.bodies.keys() - found.keys()
    assert count == len(named) > 0


@pytest.mark.parametrize("spoil", ["first", "last", "all"])
def test_d7_losses_at_either_end_are_named(tmp_path: Path, spoil: str) -> None:
    one = specimen(tmp_path / "one", count=200, largest=900, acknowledged=20, closed=True)
    file = one.folder / FILE_NAME
    content = bytearray(file.read_bytes())
    last = max(one.bodies)
    for seq in {"first": range(21, 60), "last": range(150, last + 1), "all": range(21, last + 1)}[spoil]:
        place = content.find(one.bodies[seq])
        content[place : place + 10] = b"\xff" * 10
    file.write_bytes(content)
    store, damage = open_outbox(one.folder, BIG, gap_letter, distrust="by request")
    assert damage is not None
    found = contents(store)
    gaps = [letter for letter in letters(store) if letter.startswith("corrupt")]
    assert (store.found.lost, gaps) == {
        "first": (39, [f"corrupt {one.epoch} 21 59 39"]),
        "last": (51, [f"corrupt {one.epoch} 150 200 51"]),
        "all": (180, [f"corrupt {one.epoch} None None 180"]),
    }[spoil]
    assert len(found) + store.found.lost == 180
    store.close()


def test_d7_what_was_delivered_before_the_damage_does_not_come_back(tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=600, largest=900, acknowledged=500, closed=True)
    content = bytearray((one.folder / FILE_NAME).read_bytes())
    content[: PAGE // 8] = bytes(PAGE // 8)
    (one.folder / FILE_NAME).write_bytes(content)
    found, _, told = saved_from(one.folder)
    assert found == one.bodies
    assert not [letter for letter in told if letter.startswith("corrupt")]


def test_d7_the_write_ahead_log_of_another_file_is_set_aside(tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=200, largest=900, acknowledged=0, closed=True)
    other = specimen(tmp_path / "other", count=150, largest=700, acknowledged=0, closed=False)
    shutil.copy(other.folder / LOG_NAME, one.folder / LOG_NAME)
    store, damage = opened(one.folder)
    assert damage is not None
    assert "another file" in damage
    assert contents(store) == one.bodies
    store.close()
    kept = one.folder / f"{FILE_NAME}.damaged-1-wal"
    assert kept.read_bytes() == (other.folder / LOG_NAME).read_bytes()


@pytest.mark.parametrize("name", [FILE_NAME, LOG_NAME])
def test_d7_a_power_cut_while_it_is_set_aside_costs_nothing(tmp_path: Path, name: str) -> None:
    one = specimen(tmp_path / "one", count=300, largest=900, acknowledged=50, closed=False)
    (one.folder / LOG_NAME).rename(one.folder / f"{FILE_NAME}.salvaging-wal")
    if name == FILE_NAME:
        (one.folder / FILE_NAME).rename(one.folder / f"{FILE_NAME}.salvaging")
    store, damage = opened(one.folder)
    assert damage is not None
    assert contents(store) == one.bodies
    store.close()
    assert sorted(path.name for path in one.folder.iterdir() if "salvaging" in path.name) == []
    store, damage = opened(one.folder)
    assert damage is None
    assert contents(store) == one.bodies
    store.close()


UNUSABLE = """
import os, sys, tempfile
from pathlib import Path
from tests.unit.collector.storage.damage import contents, opened
folder = Path(sys.argv[1])
with tempfile.TemporaryDirectory() as other:
    opened(Path(other))[0].close()  # imports what may not be readable for others
os.chown(folder, 65534, 65534)
os.setgid(65534)
os.setuid(65534)
store, damage = opened(folder)
print(len(contents(store)), damage)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="needs another user's file: only root can make one")
@pytest.mark.parametrize(("mode", "saved"), [(0o600, 0), (0o644, 100)])
def test_d7_a_file_of_another_user_is_set_aside(mode: int, saved: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        Path(home).chmod(0o755)
        one = specimen(Path(home) / "one", count=100, largest=900, acknowledged=0, closed=True)
        (one.folder / FILE_NAME).chmod(mode)
        command = [sys.executable, "-c", UNUSABLE, str(one.folder)]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.startswith(f"{saved} ")
    assert "belongs to uid 0" in said
