"""A command in the foreground: on the fastest event loop there is, until SIGINT or SIGTERM."""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

STRAY_THREADS_S = 0.5

ResultT = TypeVar("ResultT")


def until_signal(
    work: Callable[[asyncio.Event], Awaitable[ResultT]],
    *,
    forced_exit_s: float,
    leave: Callable[[ResultT], object] = lambda _: os._exit(0),
) -> ResultT:
    """Run `work` with an event that SIGTERM and SIGINT set; returns what it returns.

    It has `forced_exit_s` from the signal on to come to its end. Then the process is ended, whatever hangs. Work that
    has come to its end waits for no thread that has not, such as one with a name server that does not answer: where
    there is one, `leave` is called with the result, in another thread.
    """

    async def main() -> ResultT:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, _begin_end, stop, forced_exit_s)
        return await work(stop)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        result = runner.run(main())
        stray = threading.Timer(STRAY_THREADS_S, leave, (result,))
        stray.daemon = True
        stray.start()
    stray.cancel()
    return result


async def passed(stop: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long (None: for ever), or less if `stop` is set; whether it is set."""
    try:
        async with asyncio.timeout(None if seconds is None else max(0.0, seconds)):
            await stop.wait()
    except TimeoutError:
        pass
    return stop.is_set()


def bound_end(forced_exit_s: float) -> None:
    """From now on the process has so many seconds to end: SIGALRM ends what hangs. 0: as many as it likes."""
    signal.setitimer(signal.ITIMER_REAL, forced_exit_s)


def _begin_end(stop: asyncio.Event, forced_exit_s: float) -> None:
    if not stop.is_set():
        stop.set()
        bound_end(forced_exit_s)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
