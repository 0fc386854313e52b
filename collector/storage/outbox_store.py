"""The outbox on disk. Every method blocks and belongs to the one storage thread; each is one transaction."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from collector.crashpoint import CrashPoint, passing
from collector.storage.database import (
    connect,
    free_bytes,
    limit_size,
    storage_errors,
    transaction,
    used_bytes,
)
from collector.storage.epoch import next_epoch, note_epoch
from collector.storage.errors import DamagedFile
from collector.storage.folder import set_aside
from collector.storage.queue_table import QueueTable, ReadableQueue
from collector.storage.records import Applied, Batch, Change, Found, Gap, Purge, Record, Row, Tally
from collector.storage.salvage import salvage
from collector.storage.schema import migrate

GapLetter = Callable[[Gap, str], Record | None]
"""Writes the letter about a gap and its reason; None when nobody wants such letters. Called in the storage thread."""

FILE_NAME = "outbox.db"
_BEGIN = """INSERT INTO start (id, epoch, last_seq, clean) VALUES (1, ?, NULL, 0)
            ON CONFLICT (id) DO UPDATE SET
                clean = 0, epoch = excluded.epoch,
                last_seq = CASE WHEN epoch = excluded.epoch THEN last_seq END"""
_DEAD_LETTER_BYTES = 16 << 20
_PURGE_PART = 100
_SPARE_BYTES = 4 << 20


class OutboxStore:
    """Two queues, `data` and `letters`, and the dead letters. Raises `StorageFailed`, also as `DamagedFile`."""

    def __init__(self, folder: Path, limit_bytes: int, gap_letter: GapLetter) -> None:
        self._folder = folder
        self._path = folder / FILE_NAME
        self._gap_letter = gap_letter
        self._connection = connect(self._path)
        try:
            with storage_errors(self._path):
                self._prepare(limit_bytes)
                self.found = self._find()
        except BaseException:
            self._connection.close()
            raise

    @classmethod
    def open(cls, folder: Path, limit_bytes: int, gap_letter: GapLetter) -> tuple[Self, str | None]:
        """Open the outbox whatever the file looks like.

        One that is no outbox is set aside and what can be read of it is saved; the second result tells of it.
        """
        try:
            return cls(folder, limit_bytes, gap_letter), None
        except DamagedFile as damage:
            return cls.renew(folder, limit_bytes, gap_letter, str(damage))

    @classmethod
    def renew(cls, folder: Path, limit_bytes: int, gap_letter: GapLetter, damage: str) -> tuple[Self, str]:
        """Set the file aside and begin a new one with what can be saved."""
        aside = set_aside(folder / FILE_NAME)
        store = cls(folder, limit_bytes, gap_letter)
        try:
            store._take_over(aside)
        except BaseException:
            store.close()
            raise
        saved = store.found.data.messages
        return store, f"{damage}; set aside as {aside.name}, {saved} data messages saved"

    def _take_over(self, aside: Path) -> None:
        with self._changing():
            for table, queue in self._readable():
                for records in salvage(aside, queue):
                    table.append(records)
                    passing(CrashPoint.IN_SALVAGE)
        self.found = self._find()

    def _readable(self) -> tuple[tuple[QueueTable, ReadableQueue], ...]:
        return (self._data, "data"), (self._letters, "letters")

    def _prepare(self, limit_bytes: int) -> None:
        migrate(self._connection)
        self._data = QueueTable(self._connection, "data")
        self._letters = QueueTable(self._connection, "letters")
        self._dead = QueueTable(self._connection, "dead_letter")
        used = used_bytes(self._connection)
        self._limit = max(min(limit_bytes, (free_bytes(self._folder) + used) // 2), _PURGE_PART * 1024)
        self._allowed = max(self._limit, used)
        limit_size(self._connection, self._allowed + self._allowed // 10 + _SPARE_BYTES)

    def _find(self) -> Found:
        last = self._connection.execute("SELECT epoch, last_seq, clean FROM start WHERE id = 1").fetchone()
        epoch, last_seq, clean = last or (None, None, 1)
        return Found(self._data.tally(), self._letters.tally(), self._data.oldest_ms(), epoch, last_seq, bool(clean))

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

    def apply(self, data: Change, letters: Change) -> Applied:
        """Carry out both changes at once."""
        with self._changing():
            first_data, first_letter = self._apply(self._data, data), self._apply(self._letters, letters)
            if data.added:
                self._connection.execute("UPDATE start SET last_seq = ?", (data.added[-1].seq,))
            passing(CrashPoint.IN_COMMIT)
        passing(CrashPoint.COMMITTED_UNSENT)
        return Applied(first_data, first_letter, self.over_limit())

    def read(self, queue: ReadableQueue, after: int, limit: int, max_bytes: int) -> Batch:
        """The next rows of a queue. Spoilt ones are moved to the dead letters and, if data, named in a gap."""
        table = self._data if queue == "data" else self._letters
        with storage_errors(self._path):
            rows, spoilt = table.read(after, limit, max_bytes)
        last = max([after, *(row.number for row in rows), *(bad.number for bad in spoilt)])
        if not spoilt:
            return Batch(tuple(rows), last)
        lost = Tally(len(spoilt), sum(bad.size for bad in spoilt))
        with self._changing():
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
        with self._changing():
            return self._bury(table, Row(number or 0, record), Tally(1, len(record.payload)), "refused", why)

    def over_limit(self) -> bool:
        """Whether data has to go. A limit below what was found at the start only stops the growth."""
        with storage_errors(self._path):
            used = used_bytes(self._connection)
        self._allowed = max(self._limit, min(self._allowed, used))
        return used > self._allowed

    def purge(self, after: int) -> Purge:
        """Delete the oldest data behind row `after`, about a hundredth at a time, until the limit is kept."""
        lost, letters = Tally(), 0
        while self.over_limit():
            with self._changing():
                last = self._data.block_end(after, max(1, self._data.tally().messages // _PURGE_PART))
                if last is None:
                    break
                block, written = self._drop(after + 1, last)
                letters += written
                lost = Tally(lost.messages + block.messages, lost.bytes + block.bytes)
        return Purge(lost, letters)

    def close(self) -> None:
        """Let go of the file."""
        with storage_errors(self._path):
            self._connection.close()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with storage_errors(self._path), transaction(self._connection):
            yield

    def _apply(self, table: QueueTable, change: Change) -> int:
        if change.removed:
            table.remove(change.removed, change.removed_tally)
            passing(CrashPoint.IN_DELETE)
        return table.append(change.added) if change.added else 0

    def _drop(self, first: int, last: int) -> tuple[Tally, int]:
        block = self._data.measure(first, last)
        letters = self._announce(self._data.gaps(first, last), "limit")
        self._data.remove([(first, last)], block)
        passing(CrashPoint.IN_PURGE)
        return block, letters

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

    def _announce(self, gaps: list[Gap], reason: str) -> int:
        letters = [letter for gap in gaps if (letter := self._gap_letter(gap, reason))]
        if letters:
            self._letters.append(letters)
        return len(letters)


def connection_release() -> str:
    """The SQLite release in use, for the log at start."""
    return sqlite3.sqlite_version
