"""Alarms and the thresholds set on the gateway, on disk. What they hold is JSON, and nobody's business here."""

from collections.abc import Iterable
from pathlib import Path

from collector.storage.database import connect, own_tables, storage_errors, transaction

VERSION = 1
ALARMS_MOST = 10_000

_TABLES = (
    "CREATE TABLE alarms (id INTEGER PRIMARY KEY, since_ms INTEGER NOT NULL, active INTEGER NOT NULL, "
    "body TEXT NOT NULL)",
    "CREATE INDEX alarms_by_time ON alarms (since_ms)",
    "CREATE TABLE thresholds (device TEXT NOT NULL, tag TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (device, tag))",
)


class AlarmsStore:
    """One small file. All methods block, and raise `StorageFailed` or `DamagedFile`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with storage_errors(path):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._connection = connect(path)
        try:
            with storage_errors(path):
                own_tables(self._connection, VERSION, _TABLES, "one of alarms")
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with storage_errors(self._path):
            self._connection.close()

    def last_id(self) -> int:
        """The greatest id there is; 0 without alarms."""
        with storage_errors(self._path):
            return int(self._connection.execute("SELECT coalesce(max(id), 0) FROM alarms").fetchone()[0])

    def active(self) -> list[str]:
        """The bodies of the active alarms, by id."""
        with storage_errors(self._path):
            rows = self._connection.execute("SELECT body FROM alarms WHERE active ORDER BY id")
            return [body for (body,) in rows]

    def between(self, start_ms: int, end_ms: int, limit: int) -> list[str]:
        """The bodies of the alarms that began from `start_ms` to before `end_ms`, the newest first."""
        with storage_errors(self._path):
            rows = self._connection.execute(
                "SELECT body FROM alarms WHERE since_ms >= ? AND since_ms < ? ORDER BY since_ms DESC, id DESC LIMIT ?",
                (start_ms, end_ms, limit),
            )
            return [body for (body,) in rows]

    def thresholds(self) -> list[tuple[str, str, str]]:
        """(device, tag, body) of all."""
        with storage_errors(self._path):
            return self._connection.execute("SELECT device, tag, body FROM thresholds").fetchall()

    def write(
        self,
        alarms: Iterable[tuple[int, int, bool, str]],
        thresholds: Iterable[tuple[str, str, str | None]],
    ) -> None:
        """Alarms (id, since_ms, active, body) and thresholds (device, tag, body; None removes), all or nothing.

        Of alarms that are over the last 10,000 are kept.
        """
        with storage_errors(self._path), transaction(self._connection):
            self._connection.executemany("INSERT OR REPLACE INTO alarms VALUES (?, ?, ?, ?)", alarms)
            for device, tag, body in thresholds:
                self._connection.execute("DELETE FROM thresholds WHERE device = ? AND tag = ?", (device, tag))
                if body is not None:
                    self._connection.execute("INSERT INTO thresholds VALUES (?, ?, ?)", (device, tag, body))
            self._connection.execute(
                "DELETE FROM alarms WHERE NOT active AND id <= (SELECT max(id) FROM alarms) - ?", (ALARMS_MOST,)
            )
