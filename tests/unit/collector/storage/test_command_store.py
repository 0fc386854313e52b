"""The ids of commands: kept over restarts, over damage begun anew, and not for ever."""

from pathlib import Path

import pytest

from collector.storage import command_store
from collector.storage.command_store import CommandStore, KnownCommand, Sighting


def sighting(number: int, *, seen_ms: int = 0, digest: bytes = b"d") -> Sighting:
    return Sighting(f'"c-{number}"', digest, b"{}", seen_ms)


def opened(folder: Path) -> CommandStore:
    store, damage = CommandStore.open(folder)
    assert damage is None
    return store


def test_a_new_id_is_taken_and_known_from_then_on(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert store.change([sighting(1), sighting(2), sighting(1)], []) == [None, None, KnownCommand(b"d", None)]
    assert store.change([sighting(1)], [('"c-1"', b"answer")]) == [KnownCommand(b"d", b"answer")]


def test_w3_ids_answers_and_what_was_cut_off_outlive_the_process(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.change([sighting(1), sighting(2)], [])
    store.change([], [('"c-1"', b"answer")])
    store.close()
    again = opened(tmp_path)
    assert again.left_open() == [b"{}"]
    assert again.change([sighting(1, digest=b"other")], []) == [KnownCommand(b"d", b"answer")]


def test_old_ids_are_forgotten_only_where_there_are_enough_younger_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_store, "KEPT_IDS", 2_000)
    store = opened(tmp_path)
    store.change([sighting(n, seen_ms=0) for n in range(3_000)], [])
    later = command_store.KEPT_MS + 1
    store.change([sighting(n, seen_ms=later) for n in range(3_000, 4_000)], [])
    known = store.change([sighting(n, seen_ms=later) for n in (0, 1_999, 2_000, 3_999)], [])
    assert [each is not None for each in known] == [False, False, True, True]


def test_within_a_week_every_id_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_store, "KEPT_IDS", 10)
    store = opened(tmp_path)
    store.change([sighting(n) for n in range(3_000)], [])
    store.change([sighting(n, seen_ms=command_store.KEPT_MS) for n in range(3_000, 4_000)], [])
    assert store.change([sighting(0)], []) == [KnownCommand(b"d", None)]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_table_is_set_aside_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "commands.db").write_bytes(content)
    store, damage = CommandStore.open(tmp_path)
    assert (damage is None) == (content == b"")
    assert store.change([sighting(1)], []) == [None]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    opened(tmp_path / "commands")
    assert (tmp_path / "commands/commands.db").stat().st_mode & 0o077 == 0
