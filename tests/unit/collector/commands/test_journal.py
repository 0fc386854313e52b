"""The journal: one fsync for what comes at once, and a disk that refuses is asked again."""

import asyncio
from pathlib import Path

import pytest

from collector.commands.journal import Journal
from collector.storage.command_store import CommandStore, KnownCommand, Note, Sighting
from collector.storage.errors import StorageFailed


def sighting(number: int) -> Sighting:
    return Sighting(str(number), b"d", b"{}", 0)


async def test_what_comes_at_once_shares_an_fsync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: list[int] = []
    change = CommandStore.change

    def counted(self: CommandStore, notes: list[Note]) -> object:
        changes.append(len(notes))
        return change(self, notes)

    monkeypatch.setattr(CommandStore, "change", counted)
    async with Journal.open(tmp_path) as journal:
        known = await asyncio.gather(*(journal.begin(sighting(n)) for n in range(100)))
        await asyncio.gather(*(journal.end(sighting(n), b"answer") for n in range(100)))
    assert known == [None] * 100
    assert sum(changes) == 200
    assert len(changes) <= 4


async def test_a_disk_that_refuses_is_asked_again(tmp_path: Path) -> None:
    place = tmp_path / "commands"
    place.write_text("in the way")
    async with Journal.open(place) as journal:
        with pytest.raises(StorageFailed):
            await journal.begin(sighting(1))
        assert await journal.left_open() == []
        place.unlink()
        assert await journal.begin(sighting(1)) is None


async def test_a_table_damaged_while_in_use_is_begun_anew(tmp_path: Path) -> None:
    async with Journal.open(tmp_path) as journal:
        await journal.begin(sighting(1))
    file = tmp_path / "commands.db"
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    file.write_bytes(content)
    async with Journal.open(tmp_path) as journal:
        assert await journal.begin(sighting(1)) is None
    assert (tmp_path / "commands.db.damaged-1").exists()


async def test_an_answer_that_the_disk_refused_is_noted_with_the_next_that_it_takes(tmp_path: Path) -> None:
    place = tmp_path / "commands"
    place.write_text("in the way")
    async with Journal.open(place) as journal:
        with pytest.raises(StorageFailed):
            await journal.end(sighting(1), b"answer")
        place.unlink()
        await journal.begin(sighting(2))
    async with Journal.open(place) as journal:
        assert await journal.begin(sighting(1)) == KnownCommand(b"d", b"answer")
        assert await journal.left_open() == [b"{}"]
