"""Which commands were begun and how they ended, so that none is carried out twice, whatever happens in between."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from collector.storage.aside import set_aside
from collector.storage.database import connect, storage_errors, transaction
from collector.storage.errors import DamagedFile

FILE_NAME = "commands.db"
KEPT_MS = 7 * 86_400_000
KEPT_IDS = 100_000
_FORGET_EVERY = 1_000
_VERSION = 1
_CREATE = """CREATE TABLE command (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, seen_ms INTEGER NOT NULL,
    digest BLOB NOT NULL, payload BLOB, answer BLOB)"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """A command that came: its id as JSON text, the digest of its body, the body, and the wall time in ms."""

    id: str
    digest: bytes
    payload: bytes
    seen_ms: int


@dataclass(frozen=True, slots=True)
class KnownCommand:
    """One that came before. `answer` is None while it is being carried out."""

    digest: bytes
    answer: bytes | None


class CommandStore:
    """The table of command ids, kept for 7 days, and at least 100,000 of them. Raises `StorageFailed`."""

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
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            with transaction(self._connection):
                self._connection.execute(_CREATE)
                self._connection.execute(f"PRAGMA user_version = {_VERSION}")
        elif version != _VERSION:
            raise DamagedFile(f"{self._path}: not the table of this version (schema {version}, expected {_VERSION})")
        (self._newest,) = self._connection.execute("SELECT ifnull(max(number), 0) FROM command").fetchone()

    def change(self, begun: Sequence[Sighting], ended: Sequence[tuple[str, bytes]]) -> list[KnownCommand | None]:
        """Note in one fsync which commands ended, by id and answer, and which begin.

        Of those that begin: None where the id was new and is now taken, else what is known of it.
        """
        with storage_errors(self._path), transaction(self._connection):
            self._connection.executemany(
                "UPDATE command SET answer = ?, payload = NULL WHERE id = ?", ((answer, id_) for id_, answer in ended)
            )
            return [self._begin(sighting) for sighting in begun]

    def _begin(self, sighting: Sighting) -> KnownCommand | None:
        row = self._connection.execute("SELECT digest, answer FROM command WHERE id = ?", (sighting.id,)).fetchone()
        if row is not None:
            return KnownCommand(*row)
        self._newest += 1
        self._connection.execute(
            "INSERT INTO command VALUES (?, ?, ?, ?, ?, NULL)",
            (self._newest, sighting.id, sighting.seen_ms, sighting.digest, sighting.payload),
        )
        if self._newest % _FORGET_EVERY == 0:
            self._connection.execute(
                "DELETE FROM command WHERE number <= ? AND seen_ms < ?",
                (self._newest - KEPT_IDS, sighting.seen_ms - KEPT_MS),
            )
        return None

    def left_open(self) -> list[bytes]:
        """The bodies of those that were begun and have no answer, oldest first."""
        with storage_errors(self._path):
            rows = self._connection.execute("SELECT payload FROM command WHERE answer IS NULL ORDER BY number")
            return [payload for (payload,) in rows]

    def close(self) -> None:
        """Let go of the file."""
        with storage_errors(self._path):
            self._connection.close()
