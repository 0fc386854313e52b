"""The outbox's disk as the event loop sees it: jobs for the one thread that may block."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from collector.storage.epoch import next_epoch
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.opening import open_outbox
from collector.storage.outbox_store import GapLetter, OutboxStore
from collector.storage.records import Confirmed, Found, Known
from collector.storage.thread import StorageThread

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened file: the epoch in force, what was found, and what was wrong if the file had to be set aside."""

    epoch: str
    found: Found
    damage: str | None


class Tail:
    """One `OutboxStore` and its thread. What is asked of it raises `StorageFailed` when the disk refuses."""

    def __init__(self, folder: Path, limit_bytes: int, gap_letter: GapLetter) -> None:
        self._folder = folder
        self._limit_bytes = limit_bytes
        self._gap_letter = gap_letter
        self._store: OutboxStore | None = None
        self._confirmed: Confirmed | None = None
        self._thread = StorageThread("outbox")

    @property
    def alive(self) -> bool:
        """Whether the thread still works."""
        return self._thread.alive

    def open(self, wall_ms: int, epoch: str, known: Known, distrust: str = "") -> asyncio.Future[Opened]:
        """Open the file, or open it anew, and begin an epoch, or go on with the one given.

        `known` is what memory knows of the file; `distrust` says why it is to be set aside even if it opens.
        """

        def job() -> Opened:
            try:
                return self._begin(wall_ms, epoch, known, distrust)
            except DamagedFile as damage:
                if distrust:
                    raise
                return self._begin(wall_ms, epoch, known, str(damage))

        return self._thread.submit(job)

    def settled(self) -> asyncio.Future[None]:
        """Done when all that was asked for before is done and reported."""
        return self._thread.submit(lambda: None)

    def next_epoch(self, wall_ms: int) -> asyncio.Future[str]:
        """An epoch for a run that can not note it."""
        return self._thread.submit(lambda: next_epoch(self._folder, wall_ms, None))

    def call(self, job: Callable[[OutboxStore], ResultT]) -> asyncio.Future[ResultT]:
        """Have something done by the thread, after all that was asked for before."""
        return self._thread.submit(lambda: job(self._opened()))

    async def stop(self, timeout_s: float) -> bool:
        """Close the file and end the thread; False when the disk did not let it in time."""
        self._thread.submit(self._close)
        return await self._thread.stop(timeout_s)

    def _begin(self, wall_ms: int, epoch: str, known: Known, distrust: str) -> Opened:
        self._close()
        self._store, damage = open_outbox(
            self._folder,
            self._limit_bytes,
            self._gap_letter,
            known=known,
            confirmed=self._confirmed,
            distrust=distrust,
        )
        self._confirmed = None
        return Opened(self._store.begin_epoch(wall_ms, epoch), self._store.found, damage)

    def _opened(self) -> OutboxStore:
        if self._store is None:
            raise StorageFailed(f"{self._folder}: the outbox's file could not be opened")
        return self._store

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            self._confirmed = store.confirmed
            with suppress(StorageFailed):
                store.close()
