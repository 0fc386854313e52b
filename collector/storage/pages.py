"""A SQLite file as pages, read without SQLite: what a damaged tree no longer leads to is still there.

The format: https://www.sqlite.org/fileformat.html
"""

import struct
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from collector.storage.frames import PAGE_BYTES, frames

_FILE_HEADER = 100
_LEAF_OF_TABLE = 0x0D

Cell = tuple[int, bytes]
"""A row's number and its record."""


class Pages:
    """The pages of a file and of its write-ahead log, the log's later ones first. Never raises on any content."""

    def __init__(self, path: Path, *, log: bool = True) -> None:
        self._path = path
        self._log_path = Path(f"{path}-wal") if log else None
        self._logged: dict[int, int] = {}
        self._frames: list[tuple[int, int]] = []
        self._open_files = ExitStack()

    def __enter__(self) -> Self:
        """Raises `OSError` where the file can not be read at all."""
        with ExitStack() as files:
            self._file = files.enter_context(self._path.open("rb"))
            if self._log_path is not None and self._log_path.is_file():
                self._log = files.enter_context(self._log_path.open("rb"))
                self._find_logged()
            self._open_files = files.pop_all()
        self._count = max([self._path.stat().st_size // PAGE_BYTES, *self._logged])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open_files.close()

    def page(self, number: int) -> bytes:
        """A page, numbered from 1; shorter, or empty, where the file ends or the disk does not give it."""
        place = self._logged.get(number)
        return _read(self._file, (number - 1) * PAGE_BYTES) if place is None else _read(self._log, place)

    def cells(self, first: int = 1, last: int | None = None) -> Iterator[Cell]:
        """The rows on the leaves among some pages, of whatever table, as they are now; freed pages included."""
        for number in range(first, (last or self._count) + 1):
            yield from self._cells_of(number, self.page(number))

    def all_cells(self) -> Iterator[Cell]:
        """The rows on every leaf there is, then those of each state that the log has of it, the newest first."""
        yield from self.cells()
        for number, place in reversed(self._frames):
            yield from self._cells_of(number, _read(self._log, place))

    def _cells_of(self, number: int, page: bytes) -> Iterator[Cell]:
        start = _FILE_HEADER if number == 1 else 0
        if len(page) != PAGE_BYTES or page[start] != _LEAF_OF_TABLE:
            return
        (count,) = struct.unpack_from(">H", page, start + 3)
        pointers = start + 8
        for at in range(pointers, min(pointers + 2 * count, PAGE_BYTES - 1), 2):
            (cell,) = struct.unpack_from(">H", page, at)
            found = self._cell(page, cell)
            if found is not None:
                yield found

    def _cell(self, page: bytes, at: int) -> Cell | None:
        size, at = varint(page, at)
        number, at = varint(page, at)
        local = _local_bytes(size)
        if not 0 < size <= self._count * PAGE_BYTES or at + local > PAGE_BYTES:
            return None
        record = page[at : at + local]
        if local < size:
            record = self._overflow(record, size, page[at + local : at + local + 4])
        return number, record

    def _overflow(self, record: bytes, size: int, following: bytes) -> bytes:
        """The rest of a record; as much of it as the chain of its pages holds."""
        parts, left = [record], size - len(record)
        while left > 0 and len(following) == 4 and 0 < (number := int.from_bytes(following)) <= self._count:
            page = self.page(number)
            parts.append(page[4 : 4 + left])
            left -= PAGE_BYTES - 4
            following = page[:4]
        return b"".join(parts)

    def _find_logged(self) -> None:
        """Where the last committed state of each page lies."""
        uncommitted: dict[int, int] = {}
        for frame in frames(self._log):
            uncommitted[frame.page] = frame.place
            self._frames.append((frame.page, frame.place))
            if frame.commits:
                self._logged |= uncommitted
                uncommitted.clear()


def _read(file: BinaryIO, place: int) -> bytes:
    try:
        file.seek(place)
        return file.read(PAGE_BYTES)
    except OSError:
        return b""


def varint(data: bytes, at: int) -> tuple[int, int]:
    """SQLite's integer of 1 to 9 bytes, and where it ends. What is cut off counts as zero."""
    value = 0
    for place in range(at, min(at + 9, len(data))):
        byte = data[place]
        if place == at + 8:
            return (value << 8 | byte) & (1 << 64) - 1, place + 1
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    return 0, len(data)


def _local_bytes(size: int) -> int:
    """How many of a record's bytes lie on the leaf itself."""
    most, least = PAGE_BYTES - 35, (PAGE_BYTES - 12) * 32 // 255 - 23
    if size <= most:
        return size
    local = least + (size - least) % (PAGE_BYTES - 4)
    return local if local <= most else least
