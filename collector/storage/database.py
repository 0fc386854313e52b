"""Opening SQLite files so that a committed row survives a power cut. Foreign errors become ours here."""

import errno
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from collector.crashpoint import CrashPoint, passing
from collector.storage.errors import DamagedFile, DiskFull, ReadOnly, StorageFailed
from collector.storage.folder import sync_folder

_FULL = "SQLITE_FULL"
_READ_ONLY = "SQLITE_READONLY"
_ENVIRONMENT = (
    "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PERM", "SQLITE_NOMEM",
)  # fmt: skip


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite3 and the system raise into `StorageFailed`, as the kind of it that fits."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or type(error).__name__
        raise _kind(name, path)(f"{path}: {error} ({name})") from error
    except (TypeError, ValueError, OverflowError) as error:
        # Text that is no UTF-8, or a NULL where a number was written: only a damaged file holds such things.
        raise DamagedFile(f"{path}: {error}") from error
    except OSError as error:
        raise _system_kind(error, path)(f"{path}: {error.strerror or error}") from error


def _kind(name: str, path: Path) -> type[StorageFailed]:
    if not name.startswith((_FULL, _READ_ONLY, *_ENVIRONMENT)):
        return DamagedFile
    if name.startswith(_READ_ONLY) or _is_read_only(path.parent):
        return ReadOnly
    return DiskFull if name.startswith(_FULL) else StorageFailed


def _system_kind(error: OSError, path: Path) -> type[StorageFailed]:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return DiskFull
    return ReadOnly if error.errno == errno.EROFS or _is_read_only(path.parent) else StorageFailed


def _is_read_only(folder: Path) -> bool:
    """Of a folder that could not even be made: whether the one above it is."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY) or not os.access(folder, os.W_OK)
    except OSError:
        return False


def own_tables(connection: sqlite3.Connection, version: int, statements: Sequence[str], what: str) -> None:
    """Create these tables in an empty database. Raises `DamagedFile` for one that is not `what`, or no longer ours."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    if found == version:
        return
    if found > version:
        raise DamagedFile(f"written by a newer release (schema {found}, this release knows {version})")
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise DamagedFile(f"a database, but not {what}")
    with transaction(connection):
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {version}")


def connect(path: Path, *, shrinkable: bool = False) -> sqlite3.Connection:
    """Open or create a database: WAL, every commit fsynced, this process alone.

    One connection a file, used by one thread: with a second one a checkpoint may lose pages in the SQLite
    releases before 3.51.3. A file created `shrinkable` can give back what it no longer needs.
    Raises `StorageFailed`, `DamagedFile`.
    """
    with storage_errors(path):
        _check_usable(path)
        created = not path.exists()
        connection = sqlite3.connect(path, isolation_level=None, timeout=2.0)
        try:
            if shrinkable:
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            _configure(connection, path)
            if created:
                path.chmod(0o600)
                sync_folder(path.parent)
                passing(CrashPoint.FIRST_CREATION)
        except BaseException:
            connection.close()
            raise
    return connection


def _check_usable(path: Path) -> None:
    """Raises `DamagedFile` for what is better set aside than opened."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise DamagedFile(f"{path} is not a regular file")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK) and not _is_read_only(path.parent):
        owner = path.stat().st_uid
        raise DamagedFile(f"{path} may not be read and written by this user (it belongs to uid {owner})")


def _configure(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StorageFailed(f"{path}: this file system does not carry SQLite's write-ahead log (mode {mode})")
    connection.execute("PRAGMA synchronous = FULL")
    # Done by the journal: within a commit SQLite would keep a failing checkpoint to itself.
    connection.execute("PRAGMA wal_autocheckpoint = 0")
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
