"""Calls that block on the network, where they can hold up neither the loop nor the end of the process."""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def in_daemon_thread(
    work: Callable[[], ResultT], timeout_s: float, throw_away: Callable[[ResultT], None]
) -> ResultT:
    """Run `work` in a thread of its own. Raises what it raises, and `TimeoutError`.

    A thread that is not waited for any more is left behind; what it then still brings goes to `throw_away`.
    """
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[ResultT] = loop.create_future()

    def deliver(result: ResultT) -> None:
        if outcome.done():
            throw_away(result)
        else:
            outcome.set_result(result)

    def fail(error: BaseException) -> None:
        if not outcome.done():
            outcome.set_exception(error)

    def run() -> None:
        try:
            report: Callable[[], None] = partial(deliver, work())
        except Exception as error:  # noqa: BLE001 - not swallowed: whoever waits gets it
            report = partial(fail, error)
        try:
            loop.call_soon_threadsafe(report)
        except RuntimeError:
            # The loop is closed and the process about to end: nobody waits.
            if not loop.is_closed():
                raise

    threading.Thread(target=run, name="mqtt connect", daemon=True).start()
    async with asyncio.timeout(timeout_s):
        return await outcome
