"""A serial line of this machine's own: a pseudo-terminal that behaves like a port with a cable in it."""

import asyncio
import contextlib
import os
import tty
from collections.abc import Awaitable, Callable
from functools import partial
from io import FileIO
from pathlib import Path

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SerialDoor:
    """Runs `serve` on the far end of a line, whether or not anybody has its near end, `path`, open.

    `open` plugs it in and `shut` pulls it out: who has it open then reads an error. With `name`, a symbolic link
    that always leads to the line, `path` stays the same over that.
    """

    def __init__(self, serve: Serve, *, name: Path | None = None) -> None:
        self.path = ""
        self._serve = serve
        self._name = name
        self._ends: tuple[int, int] | None = None
        self._visit: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the line is plugged in."""
        return self._ends is not None

    def open(self) -> None:
        """Plug it in."""
        if self._ends is not None:
            return
        far, near = os.openpty()  # the near end is held open, or the far end would end with each user
        self._ends = far, near
        tty.setraw(near)
        self.path = os.ttyname(near)
        if self._name is not None:
            self._name.unlink(missing_ok=True)
            self._name.symlink_to(self.path)
            self.path = str(self._name)
        incoming, outgoing = os.fdopen(os.dup(far), "rb", 0), os.fdopen(os.dup(far), "wb", 0)
        self._visit = asyncio.get_running_loop().create_task(self._attend(incoming, outgoing))
        self._visit.add_done_callback(partial(_let_go, incoming, outgoing))

    def shut(self) -> None:
        """Pull it out."""
        ends, self._ends = self._ends, None
        if ends is None:
            return
        if self._visit is not None:
            self._visit.cancel()
        for end in ends:
            os.close(end)

    def drop(self) -> None:
        """Nobody is connected to a line: there is nothing to break."""

    async def close(self) -> None:
        """Pull it out, and wait until nobody serves any more."""
        self.shut()
        if self._visit is not None:
            await asyncio.gather(self._visit, return_exceptions=True)
        if self._name is not None:
            self._name.unlink(missing_ok=True)

    async def _attend(self, incoming_end: FileIO, outgoing_end: FileIO) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        with contextlib.ExitStack() as plugged:
            plugged.callback(self._pull_out, asyncio.current_task())
            incoming, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), incoming_end)
            plugged.callback(incoming.close)
            outgoing, protocol = await loop.connect_write_pipe(
                lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), outgoing_end
            )
            plugged.callback(outgoing.abort)
            writer = asyncio.StreamWriter(outgoing, protocol, reader, loop)  # it must outlive what it writes to
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)

    def _pull_out(self, visit: asyncio.Task[None] | None) -> None:
        """Whoever served has hung up; if it was not plugged in anew meanwhile, the line goes with it."""
        if self._visit is visit:
            self.shut()


def _let_go(incoming: FileIO, outgoing: FileIO, _visit: asyncio.Task[None]) -> None:
    """A visit cancelled before its first step has nobody else to do it."""
    incoming.close()
    outgoing.close()
