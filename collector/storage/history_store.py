"""The history on disk: a row a few tags and minute, then a row a tag and hour, day, longer. It knows no values.

Rows are numbered by time first: what is written in one go lies together, what is old lies together, and a row is
found by reckoning its number. `raw` and `slips` (the figures of minutes that are not sealed into hours yet) are
numbered by batch and layout, the tiers by the start of their block and tag.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from collector.storage.database import connect, limit_size, storage_errors, transaction, used_bytes
from collector.storage.history_records import Batch, Block, Minute
from collector.storage.history_schema import TIERS, migrate

LAYOUT_BITS, TAG_BITS = 20, 24
_WAL_BYTES = 4 << 20
_PAGES_A_STEP = 256
_SINCE = """
SELECT 'raw', min(first_ms) FROM batches WHERE id >= (SELECT min(id) FROM raw) >> ?
UNION ALL SELECT tier, min(first_ms) FROM blocks GROUP BY tier
"""
_ENTER_BLOCK = """
INSERT INTO blocks VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET first_ms = min(first_ms, excluded.first_ms), recorded_ms = excluded.recorded_ms
"""
_FORGET_BLOCKS = """
DELETE FROM blocks WHERE tier = ? AND NOT EXISTS (
    SELECT 1 FROM {tier} WHERE id >= start_s << {bits} AND id < (start_s + 1) << {bits})
"""
_FORGET_BATCHES = """
DELETE FROM batches WHERE id < (SELECT max(id) FROM batches)
    AND id < coalesce((SELECT min(id) FROM raw) >> ?1, 1 << 40)
    AND id < coalesce((SELECT min(id) FROM slips) >> ?1, 1 << 40)
"""


def since_ms(connection: sqlite3.Connection) -> dict[str, int]:
    """From when on there is something, by table; of those that hold nothing there is no entry."""
    return {table: since for table, since in connection.execute(_SINCE, (LAYOUT_BITS,)) if since is not None}


class HistoryStore:
    """One file, its log included below `limit_bytes`. All methods block, and raise `StorageFailed` or `DamagedFile`.

    The attribute `limit_bytes` is what of it is for the tables; `written_bytes` is what went to the disk since opening.
    """

    def __init__(self, path: Path, limit_bytes: int) -> None:
        self._path = path
        self._wal = Path(f"{path}-wal")
        self._wal_limit = min(_WAL_BYTES, limit_bytes // 16)
        # The log grows beyond its own limit by what one transaction brings, which is most when an hour is sealed.
        self.limit_bytes = limit_bytes - 8 * self._wal_limit
        self.written_bytes = 0
        self._connection = connect(path, shrinkable=True)
        try:
            with storage_errors(path):
                self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        for pragma in ("synchronous = NORMAL", "wal_autocheckpoint = 0"):
            self._connection.execute(f"PRAGMA {pragma}")
        migrate(self._connection)
        self._empty_log()
        limit_size(self._connection, self.limit_bytes + 4 * self._wal_limit)

    def close(self) -> None:
        """Close the file; what is in it stays."""
        with storage_errors(self._path):
            self._connection.close()

    # --- writing

    def add(self, minute: Minute) -> Batch:
        """Write a batch, whole or not at all; it is on the disk itself when this returns."""
        before = self.last_batch()
        batch = Batch(before.number + 1, minute.first_ms, minute.last_ms, before.recorded_ms + minute.lasted_ms)
        layouts = [(layout, json.dumps(tags)) for layout, tags in minute.layouts]
        rows = [(batch.number, batch.first_ms, batch.last_ms, batch.recorded_ms)]
        with self._writing():
            self._insert("tags", 3, minute.tags)
            self._insert("layouts", 2, layouts)
            self._insert("batches", 4, rows)
            self._insert("raw", 2, [(batch.number << LAYOUT_BITS | layout, body) for layout, body in minute.raw])
            self._insert("slips", 2, [(batch.number << LAYOUT_BITS | layout, body) for layout, body in minute.slips])
        return batch

    def seal(self, blocks: Iterable[Block], layout: int, batches: Iterable[int]) -> None:
        """Put blocks in the place of the slips of a layout and some batches, and of blocks that were there.

        It holds from `finish_sealing` on; what else is asked for in between is only to read.
        """
        recorded_ms = self.last_batch().recorded_ms
        with storage_errors(self._path):
            if not self._connection.in_transaction:
                self._connection.execute("BEGIN IMMEDIATE")
            try:
                for block in blocks:
                    row = (block.tier, block.start_s, block.first_ms, recorded_ms)
                    self._connection.execute(_ENTER_BLOCK, row)
                    self._insert(block.tier, 2, [(block.start_s << TAG_BITS | block.tag, block.body)])
                spent = [(batch << LAYOUT_BITS | layout,) for batch in batches]
                self._connection.executemany("DELETE FROM slips WHERE id = ?", spent)
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def finish_sealing(self) -> None:
        """Commit what was sealed, if anything was."""
        with storage_errors(self._path):
            if not self._connection.in_transaction:
                return
            try:
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._sync_log()

    def _insert(self, table: str, columns: int, rows: Iterable[tuple[object, ...]]) -> None:
        places = ", ".join("?" * columns)
        self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES ({places})", rows)  # noqa: S608 - ours

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction that is on the disk itself when it is over.

        synchronous=NORMAL leaves that to the system: a power cut could cost more than the minute not yet written.
        """
        with storage_errors(self._path):
            if self._wal.exists() and self._wal.stat().st_size >= self._wal_limit:
                self._empty_log()
            with transaction(self._connection):
                yield
        self._sync_log()

    def _sync_log(self) -> None:
        # All is carried out, whatever the disk says now: a caller who heard of an error would do it again.
        with suppress(OSError):
            descriptor = os.open(self._wal, os.O_RDONLY)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    def _empty_log(self) -> None:
        # Every page of the log is written twice: into it, and from it into the file.
        self.written_bytes += 2 * (self._wal.stat().st_size if self._wal.exists() else 0)
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    # --- reading

    def names(self) -> tuple[list[tuple[int, str, str]], list[tuple[int, list[int]]]]:
        """All tags (id, device, name) and layouts (id, tag ids)."""
        tags = self._rows("SELECT id, device, name FROM tags ORDER BY id")
        layouts = self._rows("SELECT id, tags FROM layouts ORDER BY id")
        return tags, [(layout, json.loads(text)) for layout, text in layouts]

    def last_batch(self) -> Batch:
        """The batch that was added last; of number 0 if there is none."""
        found = self._rows("SELECT id, first_ms, last_ms, recorded_ms FROM batches ORDER BY id DESC LIMIT 1")
        return Batch(*found[0]) if found else Batch(0, 0, 0, 0)

    def batches(self, start_ms: int, end_ms: int) -> list[int]:
        """The batches that may have stamps from `start_ms` to before `end_ms`, in the order of recording."""
        found = self._rows("SELECT id FROM batches WHERE last_ms >= ? AND first_ms < ? ORDER BY id", (start_ms, end_ms))
        return [number for (number,) in found]

    def open_batches(self) -> list[Batch]:
        """The batches that may have slips, in the order of recording."""
        found = self._rows(
            "SELECT id, first_ms, last_ms, recorded_ms FROM batches "
            "WHERE id >= (SELECT min(id) FROM slips) >> ? ORDER BY id",
            (LAYOUT_BITS,),
        )
        return [Batch(*row) for row in found]

    def raw_kept_ms(self) -> int:
        """How much recorded time the raw rows go back."""
        ((kept,),) = self._rows(
            "SELECT max(recorded_ms) - min(recorded_ms) FROM batches WHERE id >= (SELECT min(id) FROM raw) >> ?",
            (LAYOUT_BITS,),
        )
        return kept or 0

    def layout_with_slips(self, batches: Iterable[int]) -> int | None:
        """A layout that has slips of one of these batches."""
        for batch in batches:
            span = (batch << LAYOUT_BITS, (batch + 1) << LAYOUT_BITS)
            if found := self._rows("SELECT id FROM slips WHERE id >= ? AND id < ? LIMIT 1", span):
                return int(found[0][0]) - span[0]
        return None

    def raw(self, batches: Iterable[int], layouts: Sequence[int]) -> list[tuple[int, bytes]]:
        """The rows (layout, body) of these batches and layouts, in the order of recording."""
        return self._found("raw", batches, layouts)

    def slips(self, batches: Iterable[int], layouts: Sequence[int]) -> list[tuple[int, bytes]]:
        """The slips (layout, body) of these batches and layouts, in the order of recording."""
        return self._found("slips", batches, layouts)

    def _found(self, table: str, batches: Iterable[int], layouts: Sequence[int]) -> list[tuple[int, bytes]]:
        question = f"SELECT body FROM {table} WHERE id = ?"  # noqa: S608 - one of ours
        with storage_errors(self._path):
            return [
                (layout, body)
                for batch in batches
                for layout in layouts
                for (body,) in self._connection.execute(question, (batch << LAYOUT_BITS | layout,))
            ]

    def blocks(self, tier: str, tag: int, start_s: int, end_s: int) -> list[Block]:
        """The tag's blocks that begin from `start_s` to before `end_s`, by time."""
        starts = self._rows(
            "SELECT start_s, first_ms FROM blocks WHERE tier = ? AND start_s >= ? AND start_s < ? ORDER BY start_s",
            (tier, start_s, end_s),
        )
        question = f"SELECT body FROM {tier} WHERE id = ?"  # noqa: S608 - one of ours
        with storage_errors(self._path):
            return [
                Block(tier, start, first_ms, tag, body)
                for start, first_ms in starts
                for (body,) in self._connection.execute(question, (start << TAG_BITS | tag,))
            ]

    def since_ms(self) -> dict[str, int]:
        """From when on there is something, by table; of those that hold nothing there is no entry."""
        with storage_errors(self._path):
            return since_ms(self._connection)

    def used_bytes(self) -> int:
        """What the file holds; pages that wait for their next use do not count."""
        with storage_errors(self._path):
            return used_bytes(self._connection)

    def _rows(self, question: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with storage_errors(self._path):
            return self._connection.execute(question, values).fetchall()

    # --- forgetting, a step at a time, so that others get their turn

    def raw_before(self, recorded_ms: int) -> range:
        """The numbers of raw rows of batches that were over when so long had been recorded."""
        ((found,),) = self._rows("SELECT max(id) FROM batches WHERE recorded_ms <= ?", (recorded_ms,))
        return range(((found or 0) + 1) << LAYOUT_BITS)

    def block_before(self, tier: str, recorded_ms: int) -> range:
        """The numbers of the rows of a block that nothing was added to since so long had been recorded."""
        found = self._rows(
            "SELECT start_s FROM blocks WHERE tier = ? AND recorded_ms <= ? ORDER BY start_s LIMIT 1",
            (tier, recorded_ms),
        )
        return range(found[0][0] << TAG_BITS, (found[0][0] + 1) << TAG_BITS) if found else range(0)

    def forget(self, table: str, numbers: range, rows: int) -> int:
        """Delete at most `rows` of the oldest rows of a table with these numbers; returns how many."""
        oldest = f"SELECT id FROM {table} WHERE id >= ? AND id < ? ORDER BY id LIMIT ?"  # noqa: S608 - one of ours
        which = (numbers.start, numbers.stop, rows)
        if not self._rows(oldest, (*which[:2], 1)):
            return 0
        with self._writing():
            gone = self._connection.execute(f"DELETE FROM {table} WHERE id IN ({oldest})", which).rowcount  # noqa: S608
            if table in TIERS:
                self._connection.execute(_FORGET_BLOCKS.format(tier=table, bits=TAG_BITS), (table,))
            else:
                self._connection.execute(_FORGET_BATCHES, (LAYOUT_BITS,))
        return gone

    def shrink(self) -> bool:
        """Give some free pages back to the system while the file is over its limit; whether there may be more."""
        if self._path.stat().st_size <= self.limit_bytes or not self._pragma("freelist_count"):
            return False
        with storage_errors(self._path):
            self._connection.execute(f"PRAGMA incremental_vacuum({_PAGES_A_STEP})").fetchall()
            self._empty_log()
        return True

    def _pragma(self, name: str) -> int:
        return int(self._rows(f"PRAGMA {name}")[0][0])
