"""Opening SQLite files so that a committed row survives a power cut. Foreign errors become ours here."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.storage.errors import DamagedFile, NotWritable, StorageFailed
from collector.storage.folder import sync_folder

_NOT_WRITABLE = ("SQLITE_FULL", "SQLITE_READONLY")
_ENVIRONMENT = (
    "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PERM", "SQLITE_NOMEM",
)  # fmt: skip


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite3 and the system raise into `StorageFailed` or `DamagedFile`."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise _kind(name)(f"{path}: {error} ({name})") from error
    except (TypeError, ValueError, OverflowError) as error:
        # Text that is no UTF-8, or a NULL where a number was written: only a damaged file holds such things.
        raise DamagedFile(f"{path}: {error}") from error
    except OSError as error:
        raise StorageFailed(f"{path}: {error.strerror or error}") from error


def _kind(name: str) -> type[StorageFailed]:
    if name.startswith(_NOT_WRITABLE):
        return NotWritable
    return StorageFailed if name.startswith(_ENVIRONMENT) else DamagedFile


def connect(path: Path, *, shrinkable: bool = False) -> sqlite3.Connection:
    """Open or create a database: WAL, every commit fsynced, this process alone.

    One connection a file, used by one thread: with a second one a checkpoint may lose pages in the SQLite
    releases before 3.51.3. A file created `shrinkable` can give back what it no longer needs.
    Raises `StorageFailed`, `DamagedFile`.
    """
    with storage_errors(path):
        if path.exists() and not path.is_file():
            raise DamagedFile(f"{path} is not a regular file")
        created = not path.exists()
        connection = sqlite3.connect(path, isolation_level=None, timeout=2.0)
        try:
            if shrinkable:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _configure(connection, path)
            if created:
                path.chmod(0o600)
                sync_folder(path.parent)
        except BaseException:
            connection.close()
            raise
    return connection


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StorageFailed(f"{path}: this file system does not carry SQLite's write-ahead log (mode {mode})")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA journal_size_limit = 8388608")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, fsynced when it is over."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def used_bytes(connection: sqlite3.Connection) -> int:
    """What the tables take up; pages that were freed and wait for their next use do not count."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


def limit_size(connection: sqlite3.Connection, limit_bytes: int) -> None:
    """A last resort well below the end of the disk: past it, inserts fail while deletes still work."""
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.execute(f"PRAGMA max_page_count = {max(limit_bytes // size, 64)}")


def free_bytes(folder: Path) -> int:
    """What an unprivileged process may still write to the folder's file system."""
    figures = os.statvfs(folder)
    return figures.f_bavail * figures.f_frsize
