import asyncio
import threading
from functools import partial

import pytest

from collector.storage.thread import StorageThread


async def test_jobs_run_in_order_in_one_other_thread() -> None:
    thread = StorageThread("test")
    seen: list[tuple[int, int]] = []

    def job(number: int) -> int:
        seen.append((number, threading.get_ident()))
        return number

    results = await asyncio.gather(*(thread.submit(partial(job, number)) for number in range(50)))
    assert results == list(range(50))
    assert [number for number, _ in seen] == list(range(50))
    assert len({ident for _, ident in seen} | {threading.get_ident()}) == 2
    assert await thread.stop(1)


async def test_errors_come_back_to_whoever_waits() -> None:
    thread = StorageThread("test")

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await thread.submit(fail)
    assert await thread.submit(lambda: 1) == 1
    assert await thread.stop(1)


async def test_a_hanging_job_is_left_behind() -> None:
    thread = StorageThread("test")
    release = threading.Event()
    hanging = thread.submit(release.wait)
    assert not await thread.stop(0.05)
    assert thread.alive
    release.set()
    assert await hanging
