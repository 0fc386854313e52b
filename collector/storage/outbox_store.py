"""The outbox on disk. Every method blocks and belongs to the one storage thread; each is one transaction."""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from collector.crashpoint import CrashPoint, passing
from collector.storage.ballast import Ballast
from collector.storage.database import (
    connect,
    free_bytes,
    limit_size,
    storage_errors,
    transaction,
    used_bytes,
)
from collector.storage.epoch import next_epoch, note_epoch
from collector.storage.errors import DiskFull
from collector.storage.journal import Journal
from collector.storage.queue_table import QueueTable, ReadableQueue
from collector.storage.records import (
    NO_ROW,
    Applied,
    Batch,
    Change,
    Confirmed,
    Found,
    Gap,
    Known,
    Purge,
    Record,
    Row,
    Tally,
)
from collector.storage.schema import migrate
from collector.storage.takeover import Loss, TakeOver, is_done

GapLetter = Callable[[Gap, str], Record | None]
"""Writes the letter about a gap and its reason; None when nobody wants such letters. Called in the storage thread."""

ResultT = TypeVar("ResultT")

FILE_NAME = "outbox.db"
_BEGIN = """INSERT INTO start (id, epoch, last_seq, clean) VALUES (1, ?, NULL, 0)
            ON CONFLICT (id) DO UPDATE SET
                clean = 0, epoch = excluded.epoch,
                last_seq = CASE WHEN epoch = excluded.epoch THEN last_seq END"""
_DEAD_LETTER_BYTES = 16 << 20
_PURGE_PART = 100
_PURGE_ROWS = 5_000
_SPARE_BYTES = 4 << 20


class OutboxStore:
    """Two queues, `data` and `letters`, and the dead letters. Raises `StorageFailed`, in all its kinds."""

    def __init__(self, folder: Path, limit_bytes: int, gap_letter: GapLetter) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._gap_letter = gap_letter
        self._ballast = Ballast(folder, limit_bytes)
        self._connection = connect(self._path)
        try:
            with storage_errors(self._path):
                self._prepare(limit_bytes)
                self.found = self._find()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self, limit_bytes: int) -> None:
        migrate(self._connection)
        self._journal = Journal(self._connection, self._path)
        self._data = QueueTable(self._connection, "data")
        self._letters = QueueTable(self._connection, "letters")
        self._dead = QueueTable(self._connection, "dead_letter")
        self._tables = self._data, self._letters, self._dead
        self.confirmed = Confirmed(self._data.last, self._letters.last)
        used = used_bytes(self._connection)
        self._limit = max(min(limit_bytes, (free_bytes(self._folder) + used) // 2), _PURGE_PART * 1024)
        self._allowed = max(self._limit, used)
        limit_size(self._connection, self._allowed + self._allowed // 10 + _SPARE_BYTES)
        self._ballast.hold()

    def _find(self, lost: int = 0) -> Found:
        last = self._connection.execute("SELECT epoch, last_seq, clean FROM start WHERE id = 1").fetchone()
        epoch, last_seq, clean = last or (None, None, 1)
        oldest_ms = self._data.oldest_ms()
        return Found(self._data.tally(), self._letters.tally(), oldest_ms, epoch, last_seq, bool(clean), lost)

    # --- opening

    def verify(self, known: Known, confirmed: Confirmed) -> None:
        """Make a file that was opened anew what memory knows it to be.

        A transaction that failed may be there all the same: what it added is written again, so it has to go.
        """
        with storage_errors(self._path):
            self._journal.move()
        with self._changing():
            named = confirmed.letters_of_own and self._letters.last > confirmed.letters
            self._data.remove_behind(confirmed.data)
            if not confirmed.letters_of_own:
                self._letters.remove_behind(confirmed.letters)
            for table, held in (self._data, known.data), (self._letters, known.letters):
                table.put_back(held.rows)
                table.remove(held.gone)
        self.found = self._find(max(0, known.data.messages - self._data.tally().messages) if named else 0)

    def take_over(self, aside: Path, known: Known) -> Loss:
        """Take over what can be read of a file that was set aside, and name what can not."""
        with storage_errors(self._path):
            if is_done(self._connection):
                return Loss(0, ())
            self._ballast.let_go()
            work = TakeOver(self._connection, self._journal, self._data, self._letters)
            loss = work.carry_out(aside, known, lambda gaps: self._announce(gaps, "corrupt"))
            self.confirmed = Confirmed(self._data.last, self._letters.last)
            self.found = self._find(loss.count or 0)
            self._allowed = max(self._limit, used_bytes(self._connection))
        self._ballast.hold()
        return loss

    def begin_epoch(self, wall_ms: int, going_on: str = "") -> str:
        """Begin a run that has not stopped cleanly until `end_epoch` says so, or go on with one; returns its epoch."""
        with storage_errors(self._path):
            epoch = going_on or next_epoch(self._folder, wall_ms, self.found.previous_epoch)
            note_epoch(self._folder, epoch)
            with transaction(self._connection):
                self._connection.execute(_BEGIN, (epoch,))
            return epoch

    def end_epoch(self) -> None:
        """Note a clean stop: all that was recorded is delivered, named as lost, or in this file."""
        with storage_errors(self._path), transaction(self._connection):
            self._connection.execute("UPDATE start SET clean = 1")

    # --- a run

    def apply(self, data: Change, letters: Change) -> Applied:
        """Carry out both changes at once."""
        return self._with_ballast(lambda: self._apply_both(data, letters))

    def _apply_both(self, data: Change, letters: Change) -> Applied:
        with self._changing():
            first_data, first_letter = self._apply(self._data, data), self._apply(self._letters, letters)
            if data.added:
                self._connection.execute("UPDATE start SET last_seq = ?", (data.added[-1].seq,))
                passing(CrashPoint.IN_COMMIT)
            over_limit = self._over_limit()
        if data.added:
            passing(CrashPoint.COMMITTED_UNSENT)
        return Applied(first_data, first_letter, over_limit, not self._ballast.hold())

    def read(self, queue: ReadableQueue, after: int, limit: int, max_bytes: int) -> Batch:
        """The next rows of a queue. Spoilt ones are moved to the dead letters and, if data, named in a gap."""
        table = self._data if queue == "data" else self._letters
        with storage_errors(self._path):
            rows, spoilt = table.read(after, limit, max_bytes)
        last = max([after, *(row.number for row in rows), *(bad.number for bad in spoilt)])
        if not spoilt:
            return Batch(tuple(rows), last)
        lost = Tally(len(spoilt), sum(bad.size for bad in spoilt))
        with self._changing(letters_of_own=True):
            letters = 0
            for bad in spoilt:
                letters += self._bury(
                    table, Row(bad.number, bad.record), Tally(1, bad.size), "corrupt", "checksum is wrong"
                )
        return Batch(tuple(rows), last, lost, letters)

    def bury(self, record: Record, number: int | None, why: str) -> int:
        """Move a refused message to the dead letters, and out of its queue if it has a row there.

        Returns how many gap letters were written about it.
        """
        table = self._letters if record.seq is None else self._data
        with self._changing(letters_of_own=True):
            return self._bury(table, Row(number or 0, record), Tally(1, len(record.payload)), "refused", why)

    def purge(self, after: int, reason: str, *, before: int = NO_ROW) -> Purge:
        """Delete the oldest data between two rows and name it in gaps: a hundredth at most, to clear 5,000 rows."""
        return self._with_ballast(lambda: self._purge(after, reason, before))

    def _purge(self, after: int, reason: str, before: int) -> Purge:
        with self._changing(letters_of_own=True):
            part = 1 if reason == "cleared" else _PURGE_PART
            rows = min(max(1, self._data.tally().messages // part), _PURGE_ROWS)
            last = min(self._data.block_end(after, rows) or after, before - 1)
            if last <= after:
                return Purge()
            lost = self._data.measure(after + 1, last)
            letters = self._announce(self._data.gaps(after + 1, last), reason)
            self._data.remove([(after + 1, last)], lost)
            passing(CrashPoint.IN_PURGE)
            return Purge(lost, letters, self._over_limit())

    def hold_ballast(self) -> bool:
        """Take the room back that a full disk had cost; False while there is none."""
        return self._ballast.hold()

    @property
    def place(self) -> tuple[sqlite3.Connection, Path]:
        """For those who look without changing anything."""
        return self._connection, self._path

    def close(self) -> None:
        """Let go of the file."""
        with storage_errors(self._path):
            self._connection.close()

    # --- parts

    @contextmanager
    def _changing(self, *, letters_of_own: bool = False) -> Iterator[None]:
        self.confirmed = Confirmed(self.confirmed.data, self.confirmed.letters, letters_of_own)
        with storage_errors(self._path):
            self._journal.move_if_due()
            before = sum(table.written_bytes for table in self._tables)
            try:
                with transaction(self._connection):
                    yield
            except BaseException:
                self._data.last, self._letters.last = self.confirmed.data, self.confirmed.letters
                raise
        self.confirmed = Confirmed(self._data.last, self._letters.last)
        self._journal.wrote(sum(table.written_bytes for table in self._tables) - before)

    def _with_ballast(self, job: Callable[[], ResultT]) -> ResultT:
        try:
            return job()
        except DiskFull:
            if not self._ballast.let_go():
                raise
            return job()

    def _over_limit(self) -> bool:
        """Whether data has to go. A limit below what was found at the start only stops the growth."""
        used = used_bytes(self._connection)
        self._allowed = max(self._limit, min(self._allowed, used))
        return used > self._allowed

    def _apply(self, table: QueueTable, change: Change) -> int:
        if change.removed:
            table.remove(change.removed, change.removed_tally)
            passing(CrashPoint.IN_DELETE)
        return table.append(change.added) if change.added else 0

    def _bury(self, table: QueueTable, row: Row, tally: Tally, reason: str, why: str) -> int:
        record = row.record
        if row.number:
            table.remove([(row.number, row.number)], tally)
        number = self._dead.append([record])
        self._connection.execute("UPDATE dead_letter SET reason = ? WHERE id = ?", (why, number))
        self._bound_dead_letters()
        passing(CrashPoint.IN_DEAD_LETTER_MOVE)
        if record.epoch is None or record.seq is None:
            return 0
        gap = Gap(record.epoch, record.seq, record.seq, 1, record.stamp_ms, record.stamp_ms)
        return self._announce([gap], reason)

    def _bound_dead_letters(self) -> None:
        while self._dead.tally().bytes > _DEAD_LETTER_BYTES and (last := self._dead.block_end(0, 1)):
            self._dead.remove([(last, last)], self._dead.measure(last, last))

    def _announce(self, gaps: Iterable[Gap], reason: str) -> int:
        letters = [letter for gap in gaps if (letter := self._gap_letter(gap, reason))]
        if letters:
            self._letters.append(letters)
        return len(letters)


def connection_release() -> str:
    """The SQLite release in use, for the log at start."""
    return sqlite3.sqlite_version
