"""One queue of messages as a table: appended at the end, read and emptied from the front."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from collector.storage.records import Gap, Record, Row, Tally
from collector.storage.rowcodec import label, pack, unpack

ReadableQueue = Literal["data", "letters"]
QueueName = Literal["data", "letters", "dead_letter"]

_LAST_NUMBER = (1 << 63) - 1

_INSERT = """INSERT INTO {table} (id, epoch, seq, stamp_ms, topic, size, packed, crc, payload)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_SELECT = """SELECT id, epoch, seq, stamp_ms, topic, size, packed, crc, payload
             FROM {table} WHERE id > ? ORDER BY id LIMIT ?"""
_PUT_BACK = _INSERT.replace("INSERT", "INSERT OR IGNORE")
_DELETE = "DELETE FROM {table} WHERE id BETWEEN ? AND ?"
# Two queries in one: asked for both at once, SQLite would read the whole table.
_BOUNDS = """SELECT coalesce((SELECT min(id) FROM {table}), 1), coalesce((SELECT max(id) FROM {table}), 0)"""
_BLOCK_END = "SELECT max(id) FROM (SELECT id FROM {table} WHERE id > ? ORDER BY id LIMIT ?)"
_OLDEST = "SELECT stamp_ms FROM {table} ORDER BY id LIMIT 1"
_SUM = "SELECT count(*), coalesce(sum(size), 0) FROM {table} WHERE id BETWEEN ? AND ?"
_COUNT = "UPDATE meta SET value = value + ? WHERE key = ?"
_NOTE = "UPDATE meta SET value = ? WHERE key = ?"
_COUNTED = "SELECT value FROM meta WHERE key = ?"
# The rows before each hole in the row numbers, and the rows behind it.
_HOLES = """SELECT id, next_id FROM
            (SELECT id, lead(id) OVER (ORDER BY id) AS next_id FROM {table}) WHERE next_id > id + 1 ORDER BY id"""
_WHERE = "SELECT epoch, seq, stamp_ms FROM {table} WHERE id = ?"
# Messages that never touched the disk leave holes in the sequence: they are not lost, so no gap may span them.
_ISLANDS = """SELECT epoch, min(seq), max(seq), count(*), min(stamp_ms), max(stamp_ms)
              FROM (SELECT id, epoch, seq, stamp_ms,
                           seq - row_number() OVER (PARTITION BY epoch ORDER BY id) AS island
                    FROM {table} WHERE id BETWEEN ? AND ?)
              GROUP BY epoch, island ORDER BY min(id)"""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A row whose payload is no longer what was stored."""

    number: int
    size: int
    record: Record


class QueueTable:
    """A queue's statements. Every change is part of a transaction that the caller holds."""

    def __init__(self, connection: sqlite3.Connection, name: QueueName) -> None:
        self.written_bytes = 0
        """Payload bytes written through this object."""
        self._connection = connection
        self._name = name
        self.last = max(self._noted("last"), self.bounds()[1])
        """The last row number that was ever given."""

    def tally(self) -> Tally:
        """What is in the queue, from the running count: reading a gigabyte to count it would delay the start."""
        return Tally(self._noted("messages"), self._noted("bytes"))

    def bounds(self) -> tuple[int, int]:
        """The first and the last row number; (1, 0) when there is none."""
        first, last = self._connection.execute(self._sql(_BOUNDS)).fetchone()
        return int(first), int(last)

    def oldest_ms(self) -> int | None:
        """The stamp of the first message."""
        row = self._connection.execute(self._sql(_OLDEST)).fetchone()
        return None if row is None else int(row[0])

    def append(self, records: Sequence[Record]) -> int:
        """Add messages; returns the first one's row number, the others follow without a hole."""
        first = self.last + 1
        rows = (self._row(Row(number, record)) for number, record in enumerate(records, first))
        self._connection.executemany(self._sql(_INSERT), rows)
        self.last += len(records)
        self._count(Tally(len(records), sum(len(record.payload) for record in records)), 1)
        self._note("last", self.last)
        return first

    def put_back(self, rows: Iterable[Row]) -> None:
        """Add messages under the row numbers they had; one that is there already stays. To be followed by `recount`."""
        self._connection.executemany(self._sql(_PUT_BACK), map(self._row, rows))

    def remove(self, ranges: Iterable[tuple[int, int]], tally: Tally | None = None) -> None:
        """Take rows out. Where the caller does not know their tally, or is wrong, the whole table is counted anew."""
        deleted = self._connection.executemany(self._sql(_DELETE), ranges).rowcount
        if tally is not None and deleted == tally.messages:
            self._count(tally, -1)
            self._note("first", self._first())
        else:
            self.recount()

    def remove_behind(self, number: int) -> None:
        """Take out the rows behind a number, which is given again then."""
        self._connection.execute(self._sql(_DELETE), (number + 1, _LAST_NUMBER))
        self.last = number
        self.recount()

    def recount(self) -> None:
        """Make the running counts true again. Reads the whole table."""
        tally = self.measure(0, _LAST_NUMBER)
        self._note("messages", tally.messages)
        self._note("bytes", tally.bytes)
        self.last = max(self.last, self.bounds()[1])
        self._note("first", self._first())
        self._note("last", self.last)

    def holes(self) -> list[tuple[int, int]]:
        """Each pair of neighbours whose row numbers are not."""
        return [(int(before), int(after)) for before, after in self._connection.execute(self._sql(_HOLES)).fetchall()]

    def message(self, number: int) -> tuple[str, int, int]:
        """A data row's epoch, seq and stamp."""
        epoch, seq, stamp_ms = self._connection.execute(self._sql(_WHERE), (number,)).fetchone()
        return str(epoch), int(seq), int(stamp_ms)

    def measure(self, first: int, last: int) -> Tally:
        """The tally of a range of rows."""
        return Tally(*self._connection.execute(self._sql(_SUM), (first, last)).fetchone())

    def block_end(self, after: int, rows: int) -> int | None:
        """The number of the last of the `rows` rows that follow `after`; None when there is none."""
        (last,) = self._connection.execute(self._sql(_BLOCK_END), (after, rows)).fetchone()
        return None if last is None else int(last)

    def gaps(self, first: int, last: int) -> list[Gap]:
        """What would be lost with a range of rows: the unbroken ranges of sequence in it."""
        return [Gap(*row) for row in self._connection.execute(self._sql(_ISLANDS), (first, last)).fetchall()]

    def read(self, after: int, limit: int, max_bytes: int) -> tuple[list[Row], list[Spoilt]]:
        """The next rows, at most `limit` and about `max_bytes`, and those among them that are spoilt."""
        rows: list[Row] = []
        spoilt: list[Spoilt] = []
        # An unfinished read would keep the write-ahead log from being reused: hence the closing.
        with closing(self._connection.execute(self._sql(_SELECT), (after, limit))) as cursor:
            for found in _ascending(map(_row_or_spoilt, cursor), after):
                if isinstance(found, Spoilt):
                    spoilt.append(found)
                    continue
                if (found.record.seq is None) is (self._name == "data"):
                    raise ValueError(f"row {found.number} belongs to another table")
                rows.append(found)
                max_bytes -= len(found.record.payload)
                if max_bytes <= 0:
                    break
        return rows, spoilt

    def _sql(self, statement: str) -> str:
        return statement.replace("{table}", self._name)

    def _row(self, row: Row) -> tuple[object, ...]:
        record = row.record
        body, packed, crc = pack(record.payload, label(record))
        self.written_bytes += len(body)
        return (
            row.number, record.epoch, record.seq, record.stamp_ms, record.topic,
            len(record.payload), packed, crc, body,
        )  # fmt: skip

    def _first(self) -> int:
        first, last = self.bounds()
        return first if last else self.last + 1

    def _noted(self, what: str) -> int:
        row = self._connection.execute(_COUNTED, (f"{self._name}.{what}",)).fetchone()
        return int(row[0])

    def _note(self, what: str, value: int) -> None:
        self._connection.execute(_NOTE, (value, f"{self._name}.{what}"))

    def _count(self, tally: Tally, sign: int) -> None:
        changes = (
            (sign * tally.messages, f"{self._name}.messages"),
            (sign * tally.bytes, f"{self._name}.bytes"),
        )
        self._connection.executemany(_COUNT, changes)


def _row_or_spoilt(found: tuple[object, ...]) -> Row | Spoilt:
    """Raises `ValueError` for what cannot have been written: SQLite finds any type in any column of a damaged page."""
    number, epoch, seq, stamp_ms, topic, size, packed, crc, body = found
    if not (
        isinstance(number, int) and isinstance(stamp_ms, int) and isinstance(topic, str)
        and isinstance(size, int) and isinstance(packed, int) and isinstance(crc, int) and isinstance(body, bytes)
        and (epoch is None or isinstance(epoch, str)) and (seq is None or isinstance(seq, int))
    ):  # fmt: skip
        raise ValueError(f"row {number!r} holds what no outbox writes")
    record = Record(topic, body, stamp_ms, epoch, seq)
    payload = unpack(body, packed, crc, label(record))
    if payload is None:
        return Spoilt(number, size, record)
    return Row(number, replace(record, payload=payload))


def _ascending(rows: Iterable[Row | Spoilt], after: int) -> Iterator[Row | Spoilt]:
    """Raises `ValueError` where the order is broken: a damaged tree may lead back to where the reader came from."""
    for row in rows:
        if row.number <= after:
            raise ValueError(f"row {row.number} comes after row {after}")
        after = row.number
        yield row
