"""What was begun and how it ended, on disk before it counts: the memory of commands that outlives a restart."""

from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import structlog

from collector.commands.group_commit import GroupCommit
from collector.storage.command_store import CommandStore, KnownCommand, Note, Sighting
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.thread import StorageThread

log = structlog.get_logger()

MOST_OWED = 256
_CLOSE_S = 1.0


class Journal:
    """A `CommandStore` in a thread of its own. What comes while an fsync is under way shares the next one.

    `begin` and `end` raise `StorageFailed` where the disk refuses; the file is opened anew at the next try, and the
    last answers that it refused are noted then, too.
    """

    def __init__(self, folder: Path, thread: StorageThread) -> None:
        self._folder = folder
        self._thread = thread
        self._store: CommandStore | None = None
        self._commit = GroupCommit[Note, KnownCommand | None](thread, self._change)
        self._owed: deque[Note] = deque(maxlen=MOST_OWED)

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
        return await self._commit(Note(sighting))

    async def end(self, sighting: Sighting, answer: bytes) -> None:
        """Note the answer to a command, also to one that could not be noted when it was begun."""
        await self._commit(Note(sighting, answer))

    async def left_open(self) -> list[bytes]:
        """The bodies of those that were begun before this start and have no answer; none if the disk refuses."""
        with suppress(StorageFailed):
            return await self._thread.submit(lambda: self._opened().left_open())
        return []

    # --- in the thread

    def _change(self, notes: Sequence[Note]) -> Sequence[KnownCommand | None]:
        owed = list(self._owed)
        try:
            known = self._write([*owed, *notes])
        except StorageFailed:
            self._owed.extend(note for note in notes if note.answer is not None)
            raise
        self._owed.clear()
        return known[len(owed) :]

    def _write(self, notes: Sequence[Note]) -> list[KnownCommand | None]:
        try:
            return self._opened().change(notes)
        except DamagedFile as damage:
            self._close()
            return self._opened(distrust=str(damage)).change(notes)
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
