"""A call that hangs costs one deadline and one thread, whoever asks for it how often."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from protocols.host.errands import Errands


class Disk:
    """Answers when it is let go, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.let_go = threading.Event()

    def __call__(self) -> int:
        self.asked += 1
        self.let_go.wait(30)
        return self.asked


@pytest.fixture
def disk() -> Iterator[Disk]:
    disk = Disk()
    yield disk
    disk.let_go.set()


async def test_the_answer_and_the_failure_come_through() -> None:
    errands: Errands[int] = Errands()

    def fail() -> int:
        raise OSError("no such device")

    assert await errands.run("a", lambda: 7, 5) == 7
    with pytest.raises(OSError, match="no such device"):
        await errands.run("a", fail, 5)
    assert await errands.run("a", lambda: 8, 5) == 8


async def test_a_call_that_hangs_is_waited_for_once_and_not_begun_again(disk: Disk) -> None:
    errands: Errands[int] = Errands()
    with pytest.raises(TimeoutError):
        await errands.run("disk", disk, 0.05)
    began = time.monotonic()
    for _ in range(100):
        with pytest.raises(TimeoutError):
            await errands.run("disk", disk, 5)
    assert time.monotonic() - began < 1
    assert disk.asked == 1
    assert await errands.run("another", lambda: 1, 5) == 1

    disk.let_go.set()
    async with asyncio.timeout(5):
        while True:
            try:
                assert await errands.run("disk", disk, 5) == 2
                break
            except TimeoutError:
                await asyncio.sleep(0)


async def test_a_cancelled_caller_leaves_its_call_to_the_next(disk: Disk) -> None:
    errands: Errands[int] = Errands()
    cancelled = asyncio.create_task(errands.run("disk", disk, 5))
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    disk.let_go.set()
    assert await errands.run("disk", disk, 5) == 1
