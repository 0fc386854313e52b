"""The history's file, held open for the storage thread: set aside where it is damaged, and begun anew."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from collector.history.archive import Archive, Keeping, Packed, pack
from collector.history.calendar import Calendar
from collector.history.directory import Directory
from collector.history.reading import Reader
from collector.polling.scan import Scan
from collector.storage.aside import set_aside
from collector.storage.database import free_bytes, storage_errors
from collector.storage.errors import DamagedFile, DiskFull, ReadOnly, StorageFailed
from collector.storage.history_store import HistoryStore

ResultT = TypeVar("ResultT")

FILE = "history.db"
_SHARE_OF_DISK = 4


class Vault:
    """Lives in the storage thread. All methods block; those that need the disk raise `StorageFailed`."""

    def __init__(self, folder: Path, limit_bytes: int, calendar: Calendar, monotonic: Callable[[], float]) -> None:
        self.limit_bytes = limit_bytes
        self._path = folder / FILE
        self._most_bytes = limit_bytes
        self._calendar = calendar
        self._monotonic = monotonic
        self._directory: Directory | None = None
        self._store: HistoryStore | None = None
        self._archive: Archive | None = None
        self._damaged = False

    def open(self) -> Path | None:
        """Have the file open; where the one before went, if it was damaged."""
        if self._store is not None:
            return None
        self.limit_bytes = self._limit()
        if not self._damaged:
            with suppress(DamagedFile):
                self._take()
                return None
        aside = set_aside(self._path)
        if self._directory is not None:
            self._directory.unsaved()
        self._take()
        self._damaged = False
        return aside

    def pack(self, scans: Sequence[Scan], keeping: Keeping) -> Packed | None:
        """The rows of one device's scans; None as long as no file has been open, for its numbers are not known."""
        return None if self._directory is None else pack(scans, self._directory, self._calendar, keeping)

    def change(self, job: Callable[[Archive], ResultT]) -> ResultT:
        """Have something written."""
        return self._heeding(lambda archive, _: job(archive))

    def ask(self, job: Callable[[Reader], ResultT]) -> ResultT:
        """Have something read."""
        return self._heeding(lambda _, reader: job(reader))

    def close(self) -> None:
        """Close the file if it is open."""
        store, self._store = self._store, None
        if store is not None:
            with suppress(StorageFailed):
                store.close()

    def _limit(self) -> int:
        with storage_errors(self._path):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            used = self._path.stat().st_size if self._path.is_file() else 0
            return min(self._most_bytes, (free_bytes(self._path.parent) + used) // _SHARE_OF_DISK)

    def _take(self) -> None:
        store = HistoryStore(self._path, self.limit_bytes)
        try:
            self._directory = self._directory or Directory(*store.names())
        except BaseException:
            store.close()
            raise
        self._store = store
        self._archive = Archive(store, self._directory, self._calendar, self._monotonic)

    def _heeding(self, job: Callable[[Archive, Reader], ResultT]) -> ResultT:
        if self._store is None or self._archive is None or self._directory is None:
            raise StorageFailed(f"{self._path}: the history can not be read or written at present")
        try:
            return job(self._archive, Reader(self._store, self._directory, self._calendar))
        except (DiskFull, ReadOnly):
            raise
        except StorageFailed as failure:
            # To be opened, or begun, anew: what a broken file says next is not to be believed.
            self._damaged = isinstance(failure, DamagedFile)
            self.close()
            raise
