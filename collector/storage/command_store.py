"""Which commands were begun and how they ended, so that none is carried out twice, whatever happens in between."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collector.storage.aside import set_aside
from collector.storage.database import connect, own_tables, storage_errors, transaction
from collector.storage.errors import DamagedFile

FILE_NAME = "commands.db"
KEPT_MS = 7 * 86_400_000
KEPT_IDS = 100_000
MOST_IDS = 500_000
WHOLE_ANSWERS = 1_000
LARGE_BYTES = 2_048
NOT_REPEATED: Mapping[str, object] = {"note": "this answer was too large to be kept; ask again under a new id"}
"""Stands for a result that is not kept."""

_TIDY_EVERY = 1_000
_VERSION = 1
_CREATE = """CREATE TABLE command (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, seen_ms INTEGER NOT NULL,
    digest BLOB NOT NULL, payload BLOB, answer BLOB)"""
_OPEN = "CREATE INDEX open_command ON command (number) WHERE answer IS NULL"
_INSERT = "INSERT INTO command VALUES (?, ?, ?, ?, ?, ?)"
_END = "UPDATE command SET answer = ?, payload = NULL WHERE id = ?"
_FORGET = "DELETE FROM command WHERE number <= ? AND (seen_ms < ? OR number <= ?)"
_SHORTEN = """UPDATE command SET answer = CAST(json_set(CAST(answer AS TEXT), '$.result', json(?)) AS BLOB)
              WHERE number BETWEEN ? AND ? AND length(answer) > ? AND json_valid(CAST(answer AS TEXT))"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A command that came: its id as JSON text, the digest of its body, the body, and the wall time in ms."""

    id: str
    digest: bytes
    payload: bytes
    seen_ms: int


@dataclass(frozen=True, slots=True)
class Note:
    """That a command is begun, or with an `answer` that it has ended."""

    sighting: Sighting
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class KnownCommand:
    """One that came before. `answer` is None while it is being carried out."""

    digest: bytes
    answer: bytes | None


class CommandStore:
    """The table of command ids, kept for 7 days, at least 100,000 and at most 500,000 of them.

    Large answers are kept whole only of the last 1,000 commands. Raises `StorageFailed`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection = connect(path)
        try:
            with storage_errors(path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def open(cls, folder: Path, distrust: str = "") -> tuple[Self, str | None]:
        """Open the table in a folder, or begin a new one; then also what was wrong with the one set aside.

        `distrust` says why the one there is to be set aside even if it opens.
        """
        path = folder / FILE_NAME
        with storage_errors(path):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            if distrust:
                raise DamagedFile(distrust)
            return cls(path), None
        except DamagedFile as damage:
            set_aside(path)
            return cls(path), str(damage)

    def _prepare(self) -> None:
        own_tables(self._connection, _VERSION, (_CREATE, _OPEN), "one of commands")
        (self._newest,) = self._connection.execute("SELECT ifnull(max(number), 0) FROM command").fetchone()

    def change(self, notes: Sequence[Note]) -> list[KnownCommand | None]:
        """Take these down in one fsync, in their order.

        Of a command that begins: None where its id was new and is now taken, else what is known of it.
        """
        with storage_errors(self._path), transaction(self._connection):
            return [self._take_down(note) for note in notes]

    def _take_down(self, note: Note) -> KnownCommand | None:
        if note.answer is None:
            return self._begin(note.sighting)
        if not self._connection.execute(_END, (note.answer, note.sighting.id)).rowcount:
            self._insert(note.sighting, None, note.answer)
        return None

    def _begin(self, sighting: Sighting) -> KnownCommand | None:
        row = self._connection.execute("SELECT digest, answer FROM command WHERE id = ?", (sighting.id,)).fetchone()
        if row is not None:
            return KnownCommand(*row)
        self._insert(sighting, sighting.payload, None)
        return None

    def _insert(self, sighting: Sighting, payload: bytes | None, answer: bytes | None) -> None:
        self._newest += 1
        row = (self._newest, sighting.id, sighting.seen_ms, sighting.digest, payload, answer)
        self._connection.execute(_INSERT, row)
        if self._newest % _TIDY_EVERY == 0:
            self._tidy(sighting.seen_ms)

    def _tidy(self, now_ms: int) -> None:
        """So that whoever asks for everything every second does not fill the disk."""
        newest = self._newest
        self._connection.execute(_FORGET, (newest - KEPT_IDS, now_ms - KEPT_MS, newest - MOST_IDS))
        before = newest - WHOLE_ANSWERS
        self._connection.execute(_SHORTEN, (json.dumps(NOT_REPEATED), before - 2 * _TIDY_EVERY, before, LARGE_BYTES))

    def left_open(self) -> list[bytes]:
        """The bodies of those that were begun and have no answer, oldest first."""
        with storage_errors(self._path):
            rows = self._connection.execute("SELECT payload FROM command WHERE answer IS NULL ORDER BY number")
            return [payload for (payload,) in rows]

    def close(self) -> None:
        """Let go of the file."""
        with storage_errors(self._path):
            self._connection.close()
