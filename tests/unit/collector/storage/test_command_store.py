"""The ids of commands: kept over restarts, over damage begun anew, and not for ever."""

import json
from pathlib import Path

import pytest

from collector.storage import command_store
from collector.storage.command_store import CommandStore, KnownCommand, Note, Sighting


def sighting(number: int, *, seen_ms: int = 0, digest: bytes = b"d") -> Sighting:
    return Sighting(f'"c-{number}"', digest, b"{}", seen_ms)


def begun(*numbers: int, seen_ms: int = 0) -> list[Note]:
    return [Note(sighting(number, seen_ms=seen_ms)) for number in numbers]


def opened(folder: Path) -> CommandStore:
    store, damage = CommandStore.open(folder)
    assert damage is None
    return store


def test_a_new_id_is_taken_and_known_from_then_on(tmp_path: Path) -> None:
    store = opened(tmp_path)
    assert store.change(begun(1, 2, 1)) == [None, None, KnownCommand(b"d", None)]
    assert store.change([Note(sighting(1), b"answer"), *begun(1)]) == [None, KnownCommand(b"d", b"answer")]


def test_what_could_not_be_noted_when_it_began_is_known_once_it_has_ended(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.change([Note(sighting(1), b"answer")])
    assert store.change(begun(1)) == [KnownCommand(b"d", b"answer")]
    assert store.left_open() == []


def test_w3_ids_answers_and_what_was_cut_off_outlive_the_process(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.change(begun(1, 2))
    store.change([Note(sighting(1), b"answer")])
    store.close()
    again = opened(tmp_path)
    assert again.left_open() == [b"{}"]
    assert again.change([Note(sighting(1, digest=b"other"))]) == [KnownCommand(b"d", b"answer")]


def test_old_ids_are_forgotten_only_where_there_are_enough_younger_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_store, "KEPT_IDS", 2_000)
    store = opened(tmp_path)
    store.change(begun(*range(3_000)))
    later = command_store.KEPT_MS + 1
    store.change(begun(*range(3_000, 4_000), seen_ms=later))
    known = store.change(begun(0, 1_999, 2_000, 3_999, seen_ms=later))
    assert [each is not None for each in known] == [False, False, True, True]


def test_within_a_week_every_id_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_store, "KEPT_IDS", 10)
    store = opened(tmp_path)
    store.change(begun(*range(3_000)))
    store.change(begun(*range(3_000, 4_000), seen_ms=command_store.KEPT_MS))
    assert store.change(begun(0)) == [KnownCommand(b"d", None)]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5_000])
def test_a_damaged_table_is_set_aside_and_begun_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "commands.db").write_bytes(content)
    store, damage = CommandStore.open(tmp_path)
    assert (damage is None) == (content == b"")
    assert store.change(begun(1)) == [None]


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    opened(tmp_path / "commands")
    assert (tmp_path / "commands/commands.db").stat().st_mode & 0o077 == 0


def test_no_more_than_so_many_ids_are_kept_however_young(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_store, "KEPT_IDS", 1_000)
    monkeypatch.setattr(command_store, "MOST_IDS", 1_500)
    store = opened(tmp_path)
    store.change(begun(*range(3_000)))
    assert [each is not None for each in store.change(begun(1_499, 1_500))] == [False, True]


def test_large_answers_are_kept_whole_only_of_the_last_thousand(tmp_path: Path) -> None:
    large = b'{"command_id": 18446744073709551617, "status": "success", "result": {"text": "%s"}}' % (b"x" * 3_000)
    store = opened(tmp_path)
    for number in range(0, 4_000, 500):
        store.change(begun(*range(number + 1, number + 500)))
        store.change([Note(sighting(number), large)])
    answers = [known.answer or b"" for known in store.change(begun(0, 2_500, 3_500)) if known]
    assert [len(answer) > 3_000 for answer in answers] == [False, False, True]
    shortened = {"command_id": 2**64 + 1, "status": "success", "result": command_store.NOT_REPEATED}
    assert json.loads(answers[0]) == shortened
