"""The bounds: of the file, of the write-ahead log, of one step of a purge."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.storage import journal
from collector.storage.errors import StorageFailed
from collector.storage.opening import open_outbox
from collector.storage.outbox_store import OutboxStore
from collector.storage.records import Change, Record
from tests.unit.collector.storage.damage import BIG, LOG_NAME, contents, gap_letter, letters, opened, specimen

ROWS = 100_000
STEP_S = 0.05


def filled(folder: Path, rows: int, limit_bytes: int = BIG) -> OutboxStore:
    folder.mkdir(exist_ok=True)
    store, _ = open_outbox(folder, limit_bytes, gap_letter)
    store.begin_epoch(1_776_412_800_000)
    body = b'{"tags":{"temperature":25.4,"pressure":11.2}}' * 2
    for first in range(1, rows + 1, 5000):
        group = tuple(Record("t/data", body, seq, "e1", seq) for seq in range(first, min(first + 5000, rows + 1)))
        store.apply(Change(added=group), Change())
    return store


def test_d11_a_purge_goes_in_short_steps_and_the_log_stays_small(tmp_path: Path) -> None:
    store = filled(tmp_path / "one", ROWS)
    largest, after, steps = 0, 0, []
    for _ in range(60):
        began = time.thread_time()
        purge = store.purge(after, "limit")
        steps.append(time.thread_time() - began)
        assert purge.lost.messages > 0
        largest = max(largest, (tmp_path / "one" / LOG_NAME).stat().st_size)
    print(f"slowest step {1000 * max(steps):.1f} ms, log {largest >> 20} MiB")
    assert sorted(steps)[len(steps) * 9 // 10] < STEP_S
    assert largest <= 64 << 20
    store.close()


def test_d11_a_log_that_can_not_be_moved_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = filled(tmp_path / "one", 20_000)
    monkeypatch.setattr(journal, "MOVE_AT_BYTES", 0)
    reader = store.place[0].execute("SELECT * FROM data")
    reader.fetchone()
    added = Change(added=(Record("t/data", b"x", 0, "e1", 30_000),))
    with pytest.raises(StorageFailed, match="locked"):
        store.apply(added, Change())
    reader.close()
    store.close()


def test_d5_at_five_times_the_limit_all_is_kept_or_named(tmp_path: Path) -> None:
    limit = 1 << 20
    (tmp_path / "one").mkdir()
    store, _ = open_outbox(tmp_path / "one", limit, gap_letter)
    recorded, size, chance = 0, 0, random.Random(5)
    while size < 5 * limit:
        group = []
        for _ in range(50):
            recorded += 1
            payload = chance.randbytes(800)
            group.append(Record("t/data", payload, recorded, "e1", recorded))
            size += len(payload)
        applied = store.apply(Change(added=tuple(group)), Change())
        while applied.over_limit and store.purge(0, "limit").over_limit:
            pass
    kept = list(contents(store))
    gaps = [letter.split() for letter in letters(store)]
    named = [seq for _, _, first, last, _ in gaps for seq in range(int(first), int(last) + 1)]
    assert {gap[0] for gap in gaps} == {"limit"}
    assert named + kept == list(range(1, recorded + 1))
    assert named
    store.close()


def test_d3_a_crash_in_a_purge_leaves_what_was_and_names_nothing(tmp_path: Path) -> None:
    one = specimen(tmp_path / "one", count=300, largest=300, acknowledged=0, closed=True)
    program = (
        "import sys; from pathlib import Path; from tests.unit.collector.storage.damage import opened; "
        "opened(Path(sys.argv[1]))[0].purge(0, 'limit')"
    )
    command = [sys.executable, "-c", program, str(one.folder)]
    assert subprocess.run(command, env={"CRASHPOINT": "in-purge:1"}, check=False).returncode == 137
    store, _ = opened(one.folder)
    assert contents(store) == one.bodies
    assert not [letter for letter in letters(store) if letter.startswith("limit")]
    store.close()
