"""The tables of the history. Each version is one step, carried out as one transaction with the version number."""

import sqlite3

from collector.storage.database import transaction
from collector.storage.errors import DamagedFile

VERSION = 1

TIERS = ("windows", "hours", "days")
"""The tables of figures, finest first."""

_TABLES = """
CREATE TABLE tags (id INTEGER PRIMARY KEY, device TEXT NOT NULL, name TEXT NOT NULL);
CREATE TABLE layouts (id INTEGER PRIMARY KEY, tags TEXT NOT NULL);
CREATE TABLE batches (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL);
CREATE INDEX batches_by_time ON batches (last_ms, first_ms);
CREATE TABLE raw (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE slips (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE windows (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE hours (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE days (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE blocks (tier TEXT NOT NULL, start_s INTEGER NOT NULL, first_ms INTEGER NOT NULL,
    recorded_ms INTEGER NOT NULL, PRIMARY KEY (tier, start_s)) WITHOUT ROWID;
"""


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to `VERSION`. Raises `DamagedFile` for one that is not, or no longer, ours to change."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == VERSION:
        return
    if found > VERSION:
        raise DamagedFile(f"written by a newer release (schema {found}, this release knows {VERSION})")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedFile("a database, but not a history")
    with transaction(connection):
        for statement in _TABLES.split(";\n"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
