"""Setting a file aside that nobody can use, so that a power cut in the middle of it costs nothing.

``outbox.db``, with its ``-wal``, is first ``outbox.db.salvaging``; once all that can be read of it is in the new file,
it is ``outbox.db.damaged-1``. The one before becomes ``-2``, older ones go.
"""

from pathlib import Path

from collector.storage.carve import read_notes
from collector.storage.database import storage_errors
from collector.storage.folder import sync_folder
from collector.storage.frames import ends_soundly

_KEPT = 2
_LOG = "-wal"


class Aside:
    """The place beside a database for the one before it. What changes something raises `StorageFailed`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.place = path.with_name(f"{path.name}.salvaging")
        """Where the file is that has to be taken over."""
        self.kept = path.with_name(f"{path.name}.damaged-1")

    @property
    def pending(self) -> bool:
        """Whether a file waits to be taken over."""
        return _there(self.place)

    def begin(self) -> None:
        """Move the database away. One that was not taken over yet is kept as it is."""
        if self.pending:
            self.finish()
        with storage_errors(self._path):
            # The log first: alone it says that the database has to follow, the other way round it would be lost.
            _move(_log(self._path), _log(self.place))
            self._move_database()

    def resume(self) -> None:
        """Go on where a power cut interrupted `begin`."""
        if _there(_log(self.place)) and not self.pending:
            with storage_errors(self._path):
                self._move_database()

    def _move_database(self) -> None:
        _move(self._path, self.place)
        Path(f"{self._path}-shm").unlink(missing_ok=True)
        sync_folder(self._path.parent)

    def finish(self) -> None:
        """Keep the file that was taken over, for people to look at."""
        with storage_errors(self._path):
            for suffix in (_LOG, ""):
                _keep(Path(f"{self.place}{suffix}"), self._path.name, suffix)
            sync_folder(self._path.parent)

    def drop_foreign_log(self) -> bool:
        """Set a write-ahead log aside that belongs to another file: SQLite would believe it. Whether there was one."""
        if not _there(_log(self._path)):
            return False
        try:
            own, logged = (_file_of(self._path, log=log) for log in (False, True))
            if own is None or logged is None or own == logged:
                return False
        except OSError:
            return False
        with storage_errors(self._path):
            _keep(_log(self._path), self._path.name, _LOG)
            sync_folder(self._path.parent)
        return True


def log_damage(path: Path) -> str | None:
    """What is wrong with a database's write-ahead log, though SQLite would only see it end there, and go on."""
    try:
        with _log(path).open("rb") as log:
            return None if ends_soundly(log) else f"{_log(path)} is damaged before its end"
    except OSError:
        return None


def set_aside(path: Path) -> Path:
    """Set a file aside of which nothing is to be taken over; returns where it is now. Raises `StorageFailed`."""
    aside = Aside(path)
    aside.begin()
    aside.finish()
    return aside.kept


def _file_of(path: Path, *, log: bool) -> int | None:
    return read_notes(path, log=log).counters.get("file")


def _keep(source: Path, name: str, suffix: str) -> None:
    kept = [source.with_name(f"{name}.damaged-{number}{suffix}") for number in range(1, _KEPT + 1)]
    for target, newer in zip(reversed(kept), [*reversed(kept[:-1]), source], strict=True):
        _move(newer, target)


def _log(path: Path) -> Path:
    return Path(f"{path}{_LOG}")


def _there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _move(source: Path, target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        _remove_tree(target)
    else:
        target.unlink(missing_ok=True)
    if _there(source):
        source.rename(target)


def _remove_tree(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir() and not child.is_symlink():
            _remove_tree(child)
        else:
            child.unlink()
    folder.rmdir()
