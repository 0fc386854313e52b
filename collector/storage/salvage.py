"""Reading what can still be read from a damaged outbox file."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from collector.storage.queue_table import QueueTable, ReadableQueue
from collector.storage.records import Record

_BLOCK = 256
# Bounds for what a damaged file can make us do: the start may not take for ever.
_ROW_NUMBERS = 10_000_000
_FAILURES = 20_000
# All that SQLite and its driver raise on files that are no longer what they were.
_UNREADABLE = (sqlite3.Error, UnicodeDecodeError, TypeError, ValueError, OverflowError)


def salvage(path: Path, queue: ReadableQueue) -> Iterator[list[Record]]:
    """The records of a queue whose payloads still have their checksums, in order, in blocks. Never raises."""
    with suppress(*_UNREADABLE), closing(sqlite3.connect(path, isolation_level=None)) as connection:
        reader = _Reader(QueueTable(connection, queue))
        first, last = reader.table.bounds()
        for start in range(first, min(last + 1, first + _ROW_NUMBERS), _BLOCK):
            records = reader.block(start, min(start + _BLOCK - 1, last))
            if records:
                yield records


class _Reader:
    def __init__(self, table: QueueTable) -> None:
        self.table = table
        self._failures_left = _FAILURES

    def block(self, first: int, last: int) -> list[Record]:
        """The sound records of a range: halved, where it can not be read as a whole, until bad rows stand alone."""
        if not self._failures_left:
            return []
        try:
            return [row.record for row in self.table.between(first, last)]
        except _UNREADABLE:
            self._failures_left -= 1
            if first == last:
                return []
            middle = (first + last) // 2
            return self.block(first, middle) + self.block(middle + 1, last)
