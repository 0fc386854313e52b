"""From a file that was set aside into a new one: what can be read, and the names of what can not."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from collector.crashpoint import CrashPoint, passing
from collector.storage.carve import Notes, carve, read_notes
from collector.storage.database import transaction
from collector.storage.journal import Journal
from collector.storage.queue_table import QueueTable
from collector.storage.records import Gap, Held, Known, Row

_BLOCK = 512
_DONE = "taken_over"


@dataclass(frozen=True, slots=True)
class Loss:
    """What a damaged file had and the new one has not. `count` is None where nobody can know."""

    count: int | None
    gaps: tuple[Gap, ...]


def is_done(connection: sqlite3.Connection) -> bool:
    """Whether this file has all of the one set aside."""
    return connection.execute("SELECT 1 FROM meta WHERE key = ?", (_DONE,)).fetchone() is not None


class TakeOver:
    """Carried out in blocks, and as a whole repeatable: rows keep their numbers, and none is put back twice."""

    def __init__(self, connection: sqlite3.Connection, journal: Journal, data: QueueTable, letters: QueueTable) -> None:
        self._connection = connection
        self._journal = journal
        self._data = data
        self._letters = letters

    def carry_out(self, aside: Path, known: Known, tell: Callable[[tuple[Gap, ...]], object]) -> Loss:
        """Put back what memory holds and what the file still has; `tell` writes the gaps, in the last transaction."""
        notes = _read(aside)
        self._put_back(self._data, known.data.rows)
        self._put_back(self._letters, known.letters.rows)
        for rows in _blocks(_sound(aside)):
            self._put_back(self._data, (row for row in rows if _wanted(row, "data", known.data, notes)))
            self._put_back(self._letters, (row for row in rows if _wanted(row, "letters", known.letters, notes)))
        with transaction(self._connection):
            self._continue_numbers(notes)
            loss = self._loss(notes, known.data)
            tell(loss.gaps)
            self._connection.execute("INSERT INTO meta (key, value) VALUES (?, 1)", (_DONE,))
            if notes.epoch is not None:
                self._connection.execute(
                    "INSERT OR REPLACE INTO start (id, epoch, last_seq, clean) VALUES (1, ?, ?, 0)",
                    (notes.epoch, notes.last_seq),
                )
            passing(CrashPoint.IN_SALVAGE)
        return loss

    def _put_back(self, table: QueueTable, rows: Iterable[Row]) -> None:
        self._journal.move_if_due()
        before = table.written_bytes
        with transaction(self._connection):
            table.put_back(rows)
        self._journal.wrote(table.written_bytes - before)
        passing(CrashPoint.IN_SALVAGE)

    def _continue_numbers(self, notes: Notes) -> None:
        for table, name in (self._data, "data"), (self._letters, "letters"):
            table.last = max(table.last, notes.counters.get(f"{name}.last", 0))
            table.recount()

    def _loss(self, notes: Notes, held: Held) -> Loss:
        holes = _Holes(self._data, notes, held)
        there_were = notes.counters.get("data.messages")
        if there_were is None:
            gaps = holes.gaps()
            return Loss(None, (*gaps, Gap(notes.epoch or "", None, None, None, None, None)))
        missing = there_were - sum(last - first + 1 for first, last in held.gone) - self._data.tally().messages
        if missing <= 0:
            return Loss(0, ())
        gaps = holes.gaps()
        unnamed = missing - sum(gap.count or 0 for gap in gaps)
        if unnamed > 0:
            gaps.append(Gap(notes.epoch or "", None, None, unnamed, None, None))
        return Loss(missing, tuple(gaps))


class _Holes:
    """The rows that are missing between others, as ranges of sequence: rows and sequence both only grow."""

    def __init__(self, table: QueueTable, notes: Notes, held: Held) -> None:
        self._table = table
        self._notes = notes
        self._gone = {number for first, last in held.gone for number in range(first, last + 1)}

    def gaps(self) -> list[Gap]:
        first, last = self._table.bounds()
        if not last:
            return []
        gaps = self._before(first)
        for before, after in self._table.holes():
            gaps += self._between(before, after)
        return gaps + self._behind(last)

    def _missing(self, first: int, last: int) -> int:
        return sum(number not in self._gone for number in range(first, last + 1))

    def _before(self, first: int) -> list[Gap]:
        count = self._missing(self._notes.counters.get("data.first", first), first - 1)
        epoch, seq, stamp_ms = self._table.message(first)
        if not count:
            return []
        if seq > count:
            return [Gap(epoch, seq - count, seq - 1, count, None, stamp_ms)]
        return [Gap(epoch, None, seq - 1, count, None, stamp_ms)]

    def _behind(self, last: int) -> list[Gap]:
        count = self._missing(last + 1, self._notes.counters.get("data.last", last))
        epoch, seq, stamp_ms = self._table.message(last)
        if not count:
            return []
        same = epoch == self._notes.epoch and self._notes.last_seq is not None
        return [Gap(epoch, seq + 1, self._notes.last_seq if same else None, count, stamp_ms, None)]

    def _between(self, before: int, after: int) -> list[Gap]:
        count = self._missing(before + 1, after - 1)
        if not count:
            return []
        epoch, seq, stamp_ms = self._table.message(before)
        next_epoch, next_seq, next_ms = self._table.message(after)
        if epoch == next_epoch:
            if next_seq - seq <= count:
                return [Gap(epoch, None, None, count, stamp_ms, next_ms)]
            return [Gap(epoch, seq + 1, next_seq - 1, count, stamp_ms, next_ms)]
        # How many were of the one and how many of the other epoch, nobody knows: the younger one first.
        of_next = min(count, next_seq - 1)
        gaps = [
            Gap(epoch, seq + 1, None, count - of_next, stamp_ms, next_ms),
            Gap(next_epoch, next_seq - of_next, next_seq - 1, of_next, stamp_ms, next_ms),
        ]
        return [gap for gap in gaps if gap.count]


def _wanted(row: Row, name: str, held: Held, notes: Notes) -> bool:
    """Leaves out what was deleted before the damage: its pages may not have been used again."""
    is_data = row.record.seq is not None
    return (
        is_data is (name == "data")
        and row.number >= notes.counters.get(f"{name}.first", 0)
        and not any(first <= row.number <= last for first, last in held.gone)
    )


def _read(aside: Path) -> Notes:
    try:
        return read_notes(aside)
    except OSError:
        return Notes()


def _sound(aside: Path) -> Iterator[Row]:
    """A directory, or a file that may not be read, has nothing to give."""
    try:
        yield from carve(aside)
    except OSError:
        return


def _blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while block := list(islice(rows, _BLOCK)):
        yield block
