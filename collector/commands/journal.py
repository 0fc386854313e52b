"""What was begun and how it ended, on disk before it counts: the memory of commands that outlives a restart."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import structlog

from collector.storage.command_store import CommandStore, KnownCommand, Sighting
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.thread import StorageThread

ResultT = TypeVar("ResultT")

log = structlog.get_logger()

_CLOSE_S = 1.0


class Journal:
    """A `CommandStore` in a thread of its own. What comes while an fsync is under way shares the next one.

    `begin` and `end` raise `StorageFailed` where the disk refuses; the file is opened anew at the next try.
    """

    def __init__(self, folder: Path, thread: StorageThread) -> None:
        self._folder = folder
        self._thread = thread
        self._store: CommandStore | None = None
        self._beginning: list[tuple[Sighting, asyncio.Future[KnownCommand | None]]] = []
        self._ending: list[tuple[str, bytes, asyncio.Future[None]]] = []
        self._working = False

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path) -> AsyncIterator["Journal"]:
        """A journal in a folder; a disk that refuses is no reason not to start."""
        thread = StorageThread("commands")
        journal = cls(folder, thread)
        try:
            yield journal
        finally:
            thread.submit(journal._close)
            await thread.stop(_CLOSE_S)

    async def begin(self, sighting: Sighting) -> KnownCommand | None:
        """None where the id was new: it is taken now, for good. Else what is known of it."""
        outcome: asyncio.Future[KnownCommand | None] = asyncio.get_running_loop().create_future()
        self._beginning.append((sighting, outcome))
        self._work()
        return await outcome

    async def end(self, command_id: str, answer: bytes) -> None:
        """Note the answer to a command that was begun."""
        outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ending.append((command_id, answer, outcome))
        self._work()
        await outcome

    async def left_open(self) -> list[bytes]:
        """The bodies of those that were begun before this start and have no answer; none if the disk refuses."""
        with suppress(StorageFailed):
            return await self._thread.submit(lambda: self._opened().left_open())
        return []

    def _work(self) -> None:
        if self._working or not (self._beginning or self._ending):
            return
        self._working = True
        begun, self._beginning = self._beginning, []
        ended, self._ending = self._ending, []
        sightings = [sighting for sighting, _ in begun]
        answers = [(command_id, answer) for command_id, answer, _ in ended]
        job = self._thread.submit(lambda: self._change(sightings, answers))

        def settle(job: asyncio.Future[list[KnownCommand | None]]) -> None:
            self._working = False
            error = job.exception()
            results = [None] * len(begun) if error else job.result()
            for (_, outcome), known in zip(begun, results, strict=True):
                _settle(outcome, known, error)
            for _, _, noted in ended:
                _settle(noted, None, error)
            self._work()

        job.add_done_callback(settle)

    def _change(self, begun: list[Sighting], ended: list[tuple[str, bytes]]) -> list[KnownCommand | None]:
        try:
            return self._opened().change(begun, ended)
        except DamagedFile as damage:
            self._close()
            return self._opened(distrust=str(damage)).change(begun, ended)
        except StorageFailed:
            self._close()
            raise

    def _opened(self, distrust: str = "") -> CommandStore:
        if self._store is None:
            self._store, damage = CommandStore.open(self._folder, distrust)
            if damage is not None:
                log.error("the record of commands could not be used, a new one was begun", reason=damage)
        return self._store

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            with suppress(StorageFailed):
                store.close()


def _settle(outcome: asyncio.Future[ResultT], result: ResultT, error: BaseException | None) -> None:
    if outcome.done():
        return
    if error is None:
        outcome.set_result(result)
    else:
        outcome.set_exception(error)
