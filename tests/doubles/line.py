"""A line between a client and a real server that is slow, swallows everything, or breaks at a chosen byte."""

import asyncio
import socket
from types import TracebackType
from typing import Self

_PIECE = 1024


class Line:
    """``async with Line(port_behind) as line`` listens on ``line.port``.

    `bytes_per_s` limits what goes towards the server, with little buffered on the way. While `swallow` is set,
    connections stand and nothing passes; they are broken when it is cleared.
    """

    def __init__(self, behind: int, *, bytes_per_s: int | None = None) -> None:
        self.port = 0
        self.connections = 0
        self._behind = behind
        self._bytes_per_s = bytes_per_s
        self._swallow = False
        self._left: int | None = None
        self._listener = socket.socket()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()

    @property
    def swallow(self) -> bool:
        """Whether nothing passes."""
        return self._swallow

    @swallow.setter
    def swallow(self, wanted: bool) -> None:
        self._swallow = wanted
        if not wanted:
            self._break()

    def cut_after(self, count: int | None) -> None:
        """Break all connections when so many bytes more have passed towards the server; None for never."""
        self._left = count

    async def __aenter__(self) -> Self:
        if self._bytes_per_s is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._server = await asyncio.start_server(self._serve, sock=self._listener, limit=2 * _PIECE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for pump in self._pumps:
            pump.cancel()
        self._break()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            behind_reader, behind_writer = await asyncio.open_connection("127.0.0.1", self._behind)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, behind_writer}
        for pump in (self._forth(reader, behind_writer), self._back(behind_reader, writer)):
            task = asyncio.create_task(pump)
            self._pumps.add(task)
            task.add_done_callback(self._pumps.discard)

    async def _forth(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(_PIECE if self._bytes_per_s else 65_536):
                if self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                if self._left is not None and len(data) >= self._left:
                    sink.write(data[: self._left])
                    await sink.drain()
                    self._left = None
                    self._break()
                    return
                if self._left is not None:
                    self._left -= len(data)
                await self._pass_on(data, sink)
        except OSError:
            pass
        finally:
            sink.transport.abort()

    async def _back(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65_536):
                await self._pass_on(data, sink)
        except OSError:
            pass
        finally:
            sink.transport.abort()

    async def _pass_on(self, data: bytes, sink: asyncio.StreamWriter) -> None:
        if not self._swallow:
            sink.write(data)
            await sink.drain()
