"""The tables of the history. Each version is one step, carried out as one transaction with the version number."""

import sqlite3

from collector.storage.database import own_tables

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
    own_tables(connection, VERSION, _TABLES.split(";\n"), "a history")
