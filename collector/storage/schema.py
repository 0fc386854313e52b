"""The outbox's tables. Each version is one step, carried out as one transaction with the version number."""

import sqlite3

from collector.crashpoint import CrashPoint, passing
from collector.storage.database import transaction
from collector.storage.errors import DamagedFile

VERSION = 1

_MESSAGE = {
    "id": int, "epoch": str, "seq": int, "stamp_ms": int, "topic": str,
    "size": int, "packed": int, "crc": int, "payload": bytes,
}  # fmt: skip


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to `VERSION`. Raises `DamagedFile` for one that is not, or no longer, ours to change."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found > VERSION:
        raise DamagedFile(f"written by a newer release (schema {found}, this release knows {VERSION})")
    if found == VERSION:
        return
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedFile("a database, but not an outbox")
    with transaction(connection):
        _create(connection)
        passing(CrashPoint.IN_MIGRATION)
        connection.execute(f"PRAGMA user_version = {VERSION}")


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
