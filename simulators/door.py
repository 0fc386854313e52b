"""A listening socket that can be shut and opened again on the same port at once, as outages need it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Self

from simulators.address import listen

_CLOSE_BY_RESET = struct.pack("ii", 1, 0)

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Door:
    """Accepts connections and runs `serve` for each; a peer that goes away ends its `serve` without a word.

    `port` 0 takes a free one at the first opening and keeps it. With `resets` connections are closed by a reset.
    Used as ``async with``; `open` and `shut` take effect before they return.
    """

    def __init__(self, serve: Serve, *, host: str, port: int, limit: int = 64 * 1024, resets: bool = False) -> None:
        self.host = host
        self.port = port
        self._serve = serve
        self._limit = limit
        self._resets = resets
        self._listener: socket.socket | None = None
        self._visits: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether connections are accepted."""
        return self._listener is not None

    def open(self) -> None:
        """Listen. Raises `OSError` naming the address when somebody else does already."""
        if self._listener is not None:
            return
        listener = listen(self.host, self.port)
        listener.setblocking(False)
        self.port = int(listener.getsockname()[1])
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    def shut(self) -> None:
        """Listen no more: the kernel refuses whoever comes. Who is inside stays."""
        listener, self._listener = self._listener, None
        if listener is not None:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()

    def drop(self) -> None:
        """Break every open connection."""
        for visit in self._visits:
            visit.cancel()

    async def close(self) -> None:
        """Shut, drop, and wait until everybody is out."""
        self.shut()
        self.drop()
        await asyncio.gather(*self._visits, return_exceptions=True)

    async def __aenter__(self) -> Self:
        self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _accept(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # the caller has gone again, or no descriptor is left: the next one is tried anew
        connection.setblocking(False)
        if self._resets:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _CLOSE_BY_RESET)
        visit = asyncio.get_running_loop().create_task(self._welcome(connection))
        self._visits.add(visit)
        visit.add_done_callback(partial(self._see_off, connection))

    def _see_off(self, connection: socket.socket, visit: asyncio.Task[None]) -> None:
        self._visits.discard(visit)
        if visit.cancelled():
            connection.close()  # a visit cancelled before its first step has nobody else to do it

    async def _welcome(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_connection(sock=connection, limit=self._limit)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._serve(reader, writer)
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()
            raise
