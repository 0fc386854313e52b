"""A simulator in a terminal: runs until Ctrl-C or SIGTERM, says something when something has changed."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TextIO, TypeAlias

Echo: TypeAlias = Callable[[str], None]
"""Prints one line."""


async def stay(
    opening: Sequence[str],
    status: Callable[[], str],
    echo: Echo,
    *,
    stop: asyncio.Event | None = None,
    obey: Callable[[str], None] | None = None,
    typed: TextIO | None = None,
    every_s: float = 5.0,
) -> None:
    """Return at SIGINT, SIGTERM or when `stop` is set; until then echo `status` whenever it has changed.

    The `opening` lines come first, when signals are taken already: who reads them may send one at once.
    Lines that are typed (at a terminal, or in `typed`) go to `obey`; its `ValueError` is echoed.
    """
    stop = stop or asyncio.Event()
    with _stopped_by_signals(stop), _orders(obey, echo, typed):
        for line in opening:
            echo(line)
        said = status()
        while not await _stopped_within(stop, every_s):
            if (now := status()) != said:
                echo(now)
                said = now


async def _stopped_within(stop: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
    return stop.is_set()


@contextlib.contextmanager
def _stopped_by_signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    taken: list[signal.Signals] = []
    # only the main thread may take signals; elsewhere `stop` is the way to end
    with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, stop.set)
            taken.append(each)
    try:
        yield
    finally:
        for each in taken:
            loop.remove_signal_handler(each)


@contextlib.contextmanager
def _orders(obey: Callable[[str], None] | None, echo: Echo, typed: TextIO | None) -> Iterator[None]:
    source = typed or (sys.stdin if sys.stdin is not None and sys.stdin.isatty() else None)
    if obey is None or source is None:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_reader(source.fileno(), _take_order, source, obey, echo)
    try:
        yield
    finally:
        loop.remove_reader(source.fileno())


def _take_order(source: TextIO, obey: Callable[[str], None], echo: Echo) -> None:
    line = source.readline()
    if not line:
        asyncio.get_running_loop().remove_reader(source.fileno())
    elif line.strip():
        try:
            obey(line)
        except ValueError as problem:
            echo(str(problem))
