"""SQLite's write-ahead log: moved into the file in time, and not able to grow unsaid."""

import sqlite3
from pathlib import Path

from collector.crashpoint import CrashPoint, passing
from collector.storage.errors import StorageFailed

MOVE_AT_BYTES = 4 << 20
_PAGES_OF_A_CHANGE = 16 << 10


class Journal:
    """The write-ahead log of one connection."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._log = Path(f"{path}-wal")
        self._unmoved = 0

    def wrote(self, size: int) -> None:
        """A transaction of about so many bytes is in the log."""
        self._unmoved += size + _PAGES_OF_A_CHANGE

    def move_if_due(self) -> None:
        """To be called before a transaction: a failure says that the transaction was not begun.

        Raises `sqlite3.Error`, and `StorageFailed` for a log that something keeps from being moved.
        """
        if self._unmoved >= MOVE_AT_BYTES:
            self.move()

    def move(self) -> None:
        """Bring what is in the log into the file, both fsynced. Raises as `move_if_due`."""
        passing(CrashPoint.IN_CHECKPOINT)
        busy, pages, moved = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if busy or moved < pages:
            raise StorageFailed(f"{self._log}: {pages - moved} pages that can not be moved into the file")
        self._unmoved = 0
