"""Calls that may block, each kind in a thread of its own that nobody waits for longer than a device may take."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Outcome: TypeAlias = Callable[[], T]


class Errands(Generic[T]):
    """Carries out blocking calls, of each kind one at a time: a call that hangs is not begun a second time.

    The threads are daemons, so that a disk that hangs can not hold up the exit either. Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[Outcome[T]]] = {}
        self._overdue: set[str] = set()

    async def run(self, kind: str, call: Callable[[], T], timeout_s: float) -> T:
        """What the call returns or raises; one of its kind that a cancelled caller left behind is waited for instead.

        Raises `TimeoutError` after `timeout_s`, and from then on at once until that call has come back.
        """
        if kind in self._overdue:
            raise TimeoutError
        under_way = self._under_way.get(kind) or self._begin(kind, call)
        try:
            async with asyncio.timeout(timeout_s):
                outcome = await asyncio.shield(under_way)
        except TimeoutError:
            self._overdue.add(kind)
            raise
        return outcome()

    def _begin(self, kind: str, call: Callable[[], T]) -> "asyncio.Future[Outcome[T]]":
        loop = asyncio.get_running_loop()
        answer = self._under_way[kind] = loop.create_future()

        def settle(outcome: Outcome[T]) -> None:
            del self._under_way[kind]
            self._overdue.discard(kind)
            answer.set_result(outcome)

        def work() -> None:
            outcome = _outcome(call)
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(settle, outcome)

        threading.Thread(target=work, name=kind, daemon=True).start()
        return answer


def _outcome(call: Callable[[], T]) -> Outcome[T]:
    """The call's result, or its failure, to be had where the answer is awaited."""
    try:
        returned = call()
    except Exception as error:  # noqa: BLE001 - raised again by the outcome
        failure = error

        def fail() -> T:
            raise failure

        return fail
    return lambda: returned
