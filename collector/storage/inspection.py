"""Looking into an outbox file without changing it: what waits, how much, of which epochs."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from collector.storage.database import storage_errors
from collector.storage.errors import StorageFailed
from collector.storage.folder import folder_lock
from collector.storage.outbox_store import FILE_NAME
from collector.storage.queue_table import QueueTable, ReadableQueue
from collector.storage.records import Row

_BLOCK_BYTES = 1 << 20
BLOCK_ROWS = 5_000
_EPOCHS = """SELECT epoch, count(*), min(seq), max(seq), min(stamp_ms), max(stamp_ms), sum(size), max(id)
             FROM (SELECT id, epoch, seq, stamp_ms, size FROM data WHERE id > ? ORDER BY id LIMIT ?)
             GROUP BY epoch ORDER BY min(id)"""


@dataclass(slots=True)
class EpochStats:
    """What waits of one epoch's data. Stamps are wall milliseconds, bytes those of the payloads."""

    epoch: str
    messages: int
    from_seq: int
    to_seq: int
    oldest_ms: int
    newest_ms: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Totals:
    """The other figures of a file."""

    letters: int
    dead_letters: int
    dead_letter_bytes: int
    file_bytes: int


class Inspection:
    """Reads on a connection to a sound outbox, in blocks. Every method raises `StorageFailed`."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        with storage_errors(path):
            self._tables = {name: QueueTable(connection, name) for name in ("data", "letters", "dead_letter")}

    def totals(self) -> Totals:
        """What is told by the running counts."""
        with storage_errors(self._path):
            dead = self._tables["dead_letter"].tally()
            size = sum(path.stat().st_size for path in (self._path, Path(f"{self._path}-wal")) if path.exists())
            return Totals(self._tables["letters"].tally().messages, dead.messages, dead.bytes, size)

    def epochs(self, after: int) -> tuple[list[EpochStats], int | None]:
        """The next block of data rows, summed up by epoch, and its last row; None behind the end."""
        with storage_errors(self._path):
            found = self._connection.execute(_EPOCHS, (after, BLOCK_ROWS)).fetchall()
        return [EpochStats(*row[:7]) for row in found], max((int(row[7]) for row in found), default=None)

    def waiting(self, queue: ReadableQueue, after: int) -> tuple[tuple[Row, ...], int | None]:
        """The next block of sound messages, and its last row; None behind the end."""
        with storage_errors(self._path):
            rows, spoilt = self._tables[queue].read(after, BLOCK_ROWS, _BLOCK_BYTES)
        numbers = [row.number for row in rows] + [bad.number for bad in spoilt]
        return tuple(rows), max(numbers, default=None)


@contextmanager
def inspecting(folder: Path) -> Iterator[Inspection]:
    """The outbox of a stopped collector, which can not start meanwhile. Raises `DataFolderInUse`, `StorageFailed`."""
    path = folder / FILE_NAME
    if not path.is_file():
        raise StorageFailed(f"{path}: there is no outbox")
    with folder_lock(folder):
        with storage_errors(path):
            connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
        with closing(connection):
            yield Inspection(connection, path)


def add_up(all_of: dict[str, EpochStats], block: list[EpochStats]) -> None:
    """Add a block's sums to those of the blocks before."""
    for part in block:
        so_far = all_of.setdefault(part.epoch, part)
        if so_far is not part:
            so_far.messages += part.messages
            so_far.bytes += part.bytes
            so_far.to_seq, so_far.newest_ms = max(so_far.to_seq, part.to_seq), max(so_far.newest_ms, part.newest_ms)
            so_far.oldest_ms = min(so_far.oldest_ms, part.oldest_ms)
