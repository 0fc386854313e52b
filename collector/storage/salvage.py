"""Reading what can still be read from a damaged outbox file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from collector.storage.queue_table import QueueTable, ReadableQueue
from collector.storage.records import Record

_BLOCK = 256
# All that SQLite and its driver raise on files that are no longer what they were.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, TypeError, ValueError, OverflowError)


def salvage(path: Path, queue: ReadableQueue) -> Iterator[list[Record]]:
    """The records of a queue whose payloads still have their checksums, in order, in blocks. Never raises."""
    with suppress(*_UNREADABLE), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        table = QueueTable(connection, queue)
        first, last = table.bounds()
        for start in range(first, last + 1, _BLOCK):
            records = _block(table, start, min(start + _BLOCK - 1, last))
            if records:
                yield records


def _block(table: QueueTable, first: int, last: int) -> list[Record]:
    """The sound records of a range: halved, where it can not be read as a whole, until the bad rows stand alone."""
    try:
        return [row.record for row in table.between(first, last)]
    except _UNREADABLE:
        if first == last:
            return []
        middle = (first + last) // 2
        return _block(table, first, middle) + _block(table, middle + 1, last)
