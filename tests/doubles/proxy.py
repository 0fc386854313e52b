"""A TCP proxy between a client and a real server, which can be given any weather."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from tests.doubles.mosquitto import free_port

_PIECE = 65_536
_RESET = struct.pack("ii", 1, 0)

Filter = Callable[[int, bytes], bytes]
"""Sees what passes on the connection of a number, and says what is to be passed on."""


@dataclass(eq=False, slots=True)
class _Link:
    """One client's connection and the one behind it. `deaf`: the client does not know that the other is gone."""

    number: int
    client: asyncio.StreamWriter
    server: asyncio.StreamWriter | None = None
    deaf: bool = False
    pumps: list[asyncio.Task[None]] = field(default_factory=list)


class TcpProxy:
    """``async with TcpProxy(port_behind) as proxy`` listens on ``proxy.port``, the same over `cut` and `open`.

    `delay_s` and `bytes_per_s` (each way) are the weather, and may be changed at any time, as may `upward` and
    `downward`, which see what passes.
    """

    def __init__(self, behind: int) -> None:
        self.port = free_port()
        self.connections = 0
        self.delay_s = 0.0
        self.bytes_per_s: float | None = None
        self.upward: Filter = lambda _number, data: data
        self.downward: Filter = lambda _number, data: data
        self._behind = behind
        self._server: asyncio.Server | None = None
        self._links: dict[_Link, None] = {}
        self._serving: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._left: int | None = None

    async def open(self) -> None:
        """Accept connections."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        self._flows.set()
        writers = [writer for link in self._links for writer in (link.client, link.server) if writer]
        for link in list(self._links):
            self._break(link)
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        for writer in writers:
            with suppress(OSError):
                await writer.wait_closed()

    def reset(self) -> None:
        """RST to both sides of every connection; new ones are welcome."""
        for link in list(self._links):
            self._break(link)

    def reset_after(self, more: int) -> None:
        """RST once `more` bytes have gone up, wherever in a packet that is."""
        self._left = more

    def half_open(self) -> None:
        """Close the server's side of every connection and tell the clients nothing, whatever they send."""
        for link in self._links:
            link.deaf = True
            if link.server is not None:
                link.server.transport.abort()

    def swallow(self, everything: bool) -> None:
        """A black hole while it is true: connections stand and are taken, and nothing passes in either direction."""
        if everything:
            self._flows.clear()
        else:
            self._flows.set()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cut()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        link = _Link(self.connections, writer)
        self._links[link] = None
        serving = asyncio.create_task(self._serve(link, reader))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, link: _Link, reader: asyncio.StreamReader) -> None:
        try:
            await self._flows.wait()
            behind, link.server = await asyncio.open_connection("127.0.0.1", self._behind)
            link.pumps = [
                asyncio.create_task(self._pump(link, reader, up=True)),
                asyncio.create_task(self._pump(link, behind, up=False)),
            ]
            await asyncio.gather(*link.pumps)
        except OSError:
            pass
        finally:
            self._break(link)

    async def _pump(self, link: _Link, source: asyncio.StreamReader, *, up: bool) -> None:
        sink = link.server if up else link.client
        assert sink is not None
        with suppress(OSError):
            while data := await source.read(self._piece):
                await self._weather(len(data))
                if link.deaf:
                    continue
                data = (self.upward if up else self.downward)(link.number, data)
                if up and self._spent(len(data)):
                    sink.write(data[: self._left])
                    await sink.drain()
                    self._left = None
                    self.reset()
                    return
                sink.write(data)
                await sink.drain()
        if not link.deaf or up:
            self._break(link)

    @property
    def _piece(self) -> int:
        return _PIECE if self.bytes_per_s is None else max(1, int(self.bytes_per_s / 20))

    async def _weather(self, size: int) -> None:
        pause_s = self.delay_s + (size / self.bytes_per_s if self.bytes_per_s else 0.0)
        if pause_s:
            await asyncio.sleep(pause_s)
        await self._flows.wait()

    def _spent(self, size: int) -> bool:
        """Whether the bytes that may still go up end within this piece."""
        if self._left is None:
            return False
        if size <= self._left:
            self._left -= size
            return False
        return True

    def _break(self, link: _Link) -> None:
        self._links.pop(link, None)
        for writer in (link.client, link.server):
            connection: socket.socket | None = writer.get_extra_info("socket") if writer else None
            if writer is None or connection is None:
                continue
            with suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()
        for pump in link.pumps:
            if pump is not asyncio.current_task():
                pump.cancel()
