"""The outbox opens on any file content, keeps what is sound, and sets aside what it cannot use."""

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collector.storage.aside import Aside
from collector.storage.errors import DataFolderInUse, DiskFull, ReadOnly, StorageFailed
from collector.storage.folder import folder_lock, write_durably
from collector.storage.opening import open_outbox
from collector.storage.outbox_store import FILE_NAME, OutboxStore
from collector.storage.records import Change, Gap, Record
from collector.storage.rowcodec import pack, unpack
from tests.unit.collector.storage.damage import contents

BIG = 1 << 30


def gap_letter(gap: Gap, reason: str) -> Record | None:
    return Record("t/events", f"{reason} {gap.epoch} {gap.from_seq}-{gap.to_seq}".encode(), 0)


def opened(folder: Path) -> tuple[OutboxStore, str | None]:
    folder.mkdir(exist_ok=True)
    return open_outbox(folder, BIG, gap_letter)


def body(seq: int) -> bytes:
    return (f'{{"seq":{seq}}}'.encode() * 40)[: 50 + seq % 400]


def filled(folder: Path, count: int = 400) -> bytes:
    """A folder with a closed outbox of so many messages; returns the file's bytes."""
    store, _ = opened(folder)
    store.begin_epoch(1_776_412_800_000)
    records = tuple(Record("t/data", body(seq), seq, "e1", seq) for seq in range(1, count + 1))
    store.apply(Change(added=records), Change(added=(Record("t/events", b"letter", 0),)))
    store.close()
    return (folder / FILE_NAME).read_bytes()


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"no database", b"SQLite format 3\0" + b"x" * 5000])
def test_any_content_is_taken_and_a_foreign_one_kept(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    store, damage = opened(tmp_path)
    assert contents(store) == {}
    store.close()
    if damage is not None:
        assert (tmp_path / f"{FILE_NAME}.damaged-1").read_bytes() == content


def test_d7_a_file_that_was_emptied_is_told_and_a_first_start_is_not(tmp_path: Path) -> None:
    store, damage = opened(tmp_path)
    store.begin_epoch(1_776_412_800_000)
    store.close()
    assert damage is None
    (tmp_path / FILE_NAME).write_bytes(b"")
    store, damage = opened(tmp_path)
    store.close()
    assert damage is not None
    assert "is empty" in damage
    assert (tmp_path / f"{FILE_NAME}.damaged-1").exists()


def test_a_database_of_somebody_else_and_one_of_a_newer_release_are_set_aside_unharmed(tmp_path: Path) -> None:
    for number, statement in enumerate(["CREATE TABLE theirs (x)", "PRAGMA user_version = 99"]):
        folder = tmp_path / str(number)
        folder.mkdir()
        with closing(sqlite3.connect(folder / FILE_NAME)) as theirs:
            theirs.execute(statement)
        before = (folder / FILE_NAME).read_bytes()
        store, damage = opened(folder)
        store.close()
        assert damage is not None
        assert (folder / f"{FILE_NAME}.damaged-1").stat().st_size == len(before)


def test_d6_a_folder_that_could_not_be_made_is_read_only_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ReadOnly):
        open_outbox(tmp_path / "data" / "outbox", BIG, gap_letter)


def test_a_directory_in_the_place_of_the_file_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    (tmp_path / FILE_NAME / "inside").write_text("x")
    store, damage = opened(tmp_path)
    store.close()
    assert damage is not None
    assert (tmp_path / f"{FILE_NAME}.damaged-1" / "inside").read_text() == "x"


def test_only_two_are_kept_aside(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / FILE_NAME).write_text(f"file {number}")
        aside = Aside(tmp_path / FILE_NAME)
        aside.begin()
        aside.finish()
    assert (tmp_path / f"{FILE_NAME}.damaged-1").read_text() == "file 3"
    assert (tmp_path / f"{FILE_NAME}.damaged-2").read_text() == "file 2"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an outbox with 400 messages."""
    folder = tmp_path_factory.mktemp("sound")
    filled(folder)
    return folder / FILE_NAME


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(["cut", "bits", "zero page", "noise page"]), seed=st.integers(0, 1 << 30))
@example(kind="bits", seed=7120)  # a tree that leads the reader back to where it came from
def test_d7_damage_never_keeps_it_from_opening_and_never_changes_a_message(
    sound: Path, tmp_path_factory: pytest.TempPathFactory, kind: str, seed: int
) -> None:
    chance = random.Random(seed)
    damaged = bytearray(sound.read_bytes())
    if kind == "cut":
        del damaged[chance.randrange(len(damaged)) :]
    elif kind == "bits":
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    else:
        start = chance.randrange(len(damaged) // 4096) * 4096
        damaged[start : start + 4096] = bytes(4096) if kind == "zero page" else chance.randbytes(4096)
    folder = tmp_path_factory.mktemp("damaged")
    (folder / FILE_NAME).write_bytes(damaged)
    store, _ = opened(folder)
    try:
        store.begin_epoch(1_776_412_800_001)
        found = contents(store)
    except StorageFailed as trouble:
        store.close()
        store, _ = open_outbox(folder, BIG, gap_letter, distrust=str(trouble))
        found = contents(store)
    store.close()
    assert all(payload == body(seq) for seq, payload in found.items())


def test_what_can_be_read_of_a_damaged_file_is_saved(tmp_path: Path) -> None:
    content = bytearray(filled(tmp_path, 2000))
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xff" * 4096
    (tmp_path / FILE_NAME).write_bytes(content)
    store, damage = opened(tmp_path)
    if damage is None:
        with pytest.raises(StorageFailed):
            contents(store)
        store.close()
        store, damage = open_outbox(tmp_path, BIG, gap_letter, distrust="unreadable page")
    found = contents(store)
    store.close()
    assert len(found) > 1800
    assert all(payload == body(seq) for seq, payload in found.items())


def test_d14_a_spoilt_payload_goes_to_the_dead_letters_and_is_named(tmp_path: Path) -> None:
    filled(tmp_path, 10)
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as fingers:
        fingers.execute("UPDATE data SET payload = x'00' WHERE seq = 4")
        fingers.commit()
    store, damage = opened(tmp_path)
    assert damage is None
    assert sorted(contents(store)) == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    letters = store.read("letters", 0, 10, BIG).rows
    assert [row.record.payload for row in letters] == [b"letter", b"corrupt e1 4-4"]
    store.close()
    store, _ = opened(tmp_path)
    assert store.found.data.messages == 9
    store.close()


def test_dead_letters_are_bounded(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    for seq in range(1, 40):
        store.bury(Record("t/data", bytes([seq]) * (1 << 20), 0, "e1", seq), None, "too large")
    store.close()
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as reader:
        count, oldest, reason = reader.execute("SELECT count(*), min(seq), max(reason) FROM dead_letter").fetchone()
    assert (count, oldest, reason) == (16, 24, "too large")


def test_a_full_file_refuses_inserts_still_deletes_and_takes_again(tmp_path: Path) -> None:
    store, _ = open_outbox(tmp_path, 200_000, gap_letter)
    full: DiskFull | None = None
    row = 0
    for seq in range(1, 200):
        record = Record("t/data", random.Random(seq).randbytes(100_000), 0, "e1", seq)
        try:
            row = store.apply(Change(added=(record,)), Change()).first_data
        except DiskFull as refusal:
            full = refusal
            break
    assert full is not None
    assert "SQLITE_FULL" in str(full)
    purge = store.purge(0, "limit")
    assert purge.lost.messages > 0
    assert store.apply(Change(added=(Record("t/data", b"x", 0, "e1", 999),)), Change()).first_data > row
    store.close()


@given(st.binary(max_size=2000))
def test_payloads_come_back_as_they_were(payload: bytes) -> None:
    stored, packed, crc = pack(payload, "label")
    assert unpack(stored, packed, crc, "label") == payload
    assert len(stored) <= len(payload)
    assert unpack(stored, packed, crc ^ 1, "label") is None
    assert unpack(stored, packed, crc, "another") is None


def test_compression_pays_for_json() -> None:
    assert len(pack(b'{"tags":{"temperature":25.4,"pressure":11.2}}' * 8, "")[0]) < 100


def test_the_folder_is_made_private_and_locked(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "outbox"
    with folder_lock(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        with pytest.raises(DataFolderInUse, match="stop that collector"), folder_lock(folder):
            pass
    with folder_lock(folder):
        pass


def test_a_small_file_is_for_its_owner_only(tmp_path: Path) -> None:
    write_durably(tmp_path / "note", "스피폭스")
    assert (tmp_path / "note").read_text("utf-8") == "스피폭스"
    assert (tmp_path / "note").stat().st_mode & 0o077 == 0
