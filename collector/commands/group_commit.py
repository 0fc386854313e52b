"""Many who want something noted and one disk: what comes while it works shares the next fsync."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from collector.storage.thread import StorageThread

Note = TypeVar("Note")
Told = TypeVar("Told")


class GroupCommit(Generic[Note, Told]):
    """Gives `work`, in the storage thread, all that came meanwhile, in its order.

    `work` returns one answer a note, or raises: then all that shared the attempt get the error.
    """

    def __init__(self, thread: StorageThread, work: Callable[[Sequence[Note]], Sequence[Told]]) -> None:
        self._thread = thread
        self._work = work
        self._waiting: list[tuple[Note, asyncio.Future[Told]]] = []
        self._working = False

    async def __call__(self, note: Note) -> Told:
        """Have it noted; it is, once begun, also if whoever waits for it gives up."""
        told: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._waiting.append((note, told))
        self._begin()
        return await told

    def _begin(self) -> None:
        if self._working or not self._waiting:
            return
        self._working = True
        batch, self._waiting = self._waiting, []
        notes = [note for note, _ in batch]
        job = self._thread.submit(lambda: self._work(notes))
        job.add_done_callback(lambda done: self._settle([told for _, told in batch], done))

    def _settle(self, waiting: Sequence[asyncio.Future[Told]], job: asyncio.Future[Sequence[Told]]) -> None:
        self._working = False
        error = job.exception()
        results: Sequence[Told | None] = [None] * len(waiting) if error else job.result()
        for told, result in zip(waiting, results, strict=True):
            if told.done():
                continue
            if error is not None:
                told.set_exception(error)
            else:
                told.set_result(result)  # type: ignore[arg-type]  # None stands only where there was an error
        self._begin()
