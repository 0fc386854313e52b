"""Damaged outbox files by the hundred: none keeps the outbox from opening, and what is sound is saved.

``DAMAGED_FILES=2000`` in the environment takes as many; the seeds are 0, 1, 2 …, so a failure can be repeated.
"""

import os
import shutil
import time
from pathlib import Path

import pytest

from collector.storage.errors import StorageFailed
from collector.storage.opening import open_outbox
from tests.unit.collector.storage.damage import (
    BIG,
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
        found = contents(store)
    except StorageFailed as trouble:
        store.close()
        store, _ = open_outbox(folder, BIG, gap_letter, distrust=str(trouble))
        store.begin_epoch(1_776_412_900_000)
        found = contents(store)
    took_s = time.monotonic() - began
    told = letters(store)
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
