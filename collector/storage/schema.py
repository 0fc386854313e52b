"""The outbox's tables. Each version is one step; all steps that a file lacks are one transaction."""

import secrets
import sqlite3
from collections.abc import Callable

from collector.crashpoint import CrashPoint, passing
from collector.storage.database import transaction
from collector.storage.errors import DamagedFile

_MESSAGE = {
    "id": int, "epoch": str, "seq": int, "stamp_ms": int, "topic": str,
    "size": int, "packed": int, "crc": int, "payload": bytes,
}  # fmt: skip
_READABLE_BY = 2
"""The oldest version whose program can use a file of this one. Noted in the file, for that program to read."""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to `VERSION`. One of a newer release stays as it is, if it says that this release can use it.

    Raises `DamagedFile` for a database that is not, or no longer, ours to change.
    """
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        _check_readable(connection, found)
    if found >= VERSION:
        return
    if not found and connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedFile("a database, but not an outbox")
    with transaction(connection):
        for step in _STEPS[found:]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        passing(CrashPoint.IN_MIGRATION)


def _check_readable(connection: sqlite3.Connection, found: int) -> None:
    try:
        row = connection.execute("SELECT value FROM meta WHERE key = 'readable_by'").fetchone()
    except sqlite3.OperationalError:
        row = None
    if row is None or not isinstance(row[0], int) or row[0] > VERSION:
        raise DamagedFile(f"written by a newer release (schema {found}, this release knows {VERSION})")


def _create(connection: sqlite3.Connection) -> None:
    # Costs 60 ms and 8 MiB to import, and is needed once in the life of a file.
    from sqlite_utils import Database

    database = Database(connection)
    database.table("data").create(_MESSAGE, pk="id")
    database.table("letters").create(_MESSAGE, pk="id")
    database.table("dead_letter").create(_MESSAGE | {"reason": str}, pk="id")
    database.table("meta").create({"key": str, "value": int}, pk="key")
    database.table("start").create({"id": int, "epoch": str, "last_seq": int, "clean": int}, pk="id")
    database.table("meta").insert_all(
        {"key": f"{table}.{what}", "value": 0}
        for table in ("data", "letters", "dead_letter")
        for what in ("messages", "bytes")
    )


def _note_bounds(connection: sqlite3.Connection) -> None:
    """So that damage can be named: which rows there should be, and which file a write-ahead log belongs to."""
    notes = {"readable_by": _READABLE_BY, "file": secrets.randbits(62)}
    for table in ("data", "letters", "dead_letter"):
        first, last = connection.execute(f"SELECT min(id), max(id) FROM {table}").fetchone()  # noqa: S608 - our names
        notes |= {f"{table}.first": first or 1, f"{table}.last": last or 0}
    connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", notes.items())


_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_create, _note_bounds)
VERSION = len(_STEPS)
