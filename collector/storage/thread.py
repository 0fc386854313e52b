"""The thread that may block on the disk, so that the event loop never does."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

ResultT = TypeVar("ResultT")


class StorageThread:
    """Runs jobs one after another. A daemon: a hanging disk never holds up the end of the process."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it still takes jobs."""
        return self._thread.is_alive()

    def submit(self, job: Callable[[], ResultT]) -> asyncio.Future[ResultT]:
        """Queue a job; its result or error arrives in the future. A job once queued runs, whoever waits for it."""
        future: asyncio.Future[ResultT] = self._loop.create_future()
        self._jobs.put(lambda: self._carry_out(job, future))
        return future

    async def stop(self, timeout_s: float) -> bool:
        """Finish what is queued; False when that took longer than `timeout_s` and the thread was left behind."""
        finished = self.submit(lambda: None)
        self._jobs.put(None)
        done, _ = await asyncio.wait([finished], timeout=timeout_s)
        return bool(done)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()

    def _carry_out(self, job: Callable[[], ResultT], future: asyncio.Future[ResultT]) -> None:
        try:
            result = job()
        except Exception as error:  # noqa: BLE001 - not swallowed: whoever awaits the job gets it
            self._report(partial(_fail, future, error))
        else:
            self._report(partial(_settle, future, result))

    def _report(self, outcome: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(outcome)
        except RuntimeError:
            # The loop is gone, and with it everybody who could be waiting.
            if not self._loop.is_closed():
                raise


def _settle(future: asyncio.Future[ResultT], result: ResultT) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[ResultT], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
