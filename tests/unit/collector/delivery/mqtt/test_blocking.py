import asyncio
import sys
import threading
import time

import pytest

from collector.delivery.mqtt.blocking import in_daemon_thread


async def test_results_and_errors_come_back() -> None:
    assert await in_daemon_thread(lambda: 42, 5, lambda _: None) == 42
    with pytest.raises(OSError, match="no"):
        await in_daemon_thread(_fail, 5, lambda _: None)


async def test_a_hanging_call_is_left_behind_and_its_late_result_thrown_away() -> None:
    release = threading.Event()
    late: asyncio.Queue[bool] = asyncio.Queue()
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await in_daemon_thread(release.wait, 0.05, late.put_nowait)
    assert time.monotonic() - began < 2
    release.set()
    async with asyncio.timeout(5):
        assert await late.get() is True


async def test_it_never_holds_up_the_exit() -> None:
    script = (
        "import asyncio, threading\n"
        "from collector.delivery.mqtt.blocking import in_daemon_thread\n"
        "async def main():\n"
        "    try:\n"
        "        await in_daemon_thread(threading.Event().wait, 0.05, print)\n"
        "    except TimeoutError:\n"
        "        print('left')\n"
        "asyncio.run(main())\n"
    )

    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(20):
        out, _ = await child.communicate()
    assert (child.returncode, out) == (0, b"left\n")


def _fail() -> None:
    raise OSError("no")
