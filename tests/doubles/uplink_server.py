"""An HTTP server that takes what the collector posts, on a port that stays the same over `stop` and `start`."""

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.doubles.mosquitto import free_port

Body = list[dict[str, object]]


@dataclass(frozen=True, slots=True)
class Posted:
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: Body
    connection: int


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; None as a status: never."""

    status: int | None = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class UplinkServer:
    """``async with UplinkServer() as server``. `answer` decides each reply; `posted` are all requests.

    `taken` is what was answered with 2xx, by kind. With a `certificate` and its key it speaks TLS.
    """

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self._certificate = certificate
        self.port = free_port()
        self.answer: Callable[[Posted], Reply] = lambda posted: Reply()
        self.posted: list[Posted] = []
        self.taken: dict[str, Body] = {"data": [], "events": [], "log": []}
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT/base``."""
        return f"{'https' if self._certificate else 'http'}://127.0.0.1:{self.port}/base"

    async def start(self) -> None:
        """Accept connections."""
        tls = None
        if self._certificate:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(*self._certificate)
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=tls)

    async def stop(self) -> None:
        """Break every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve(self.connections, reader, writer)
        finally:
            self._serving.discard(task)
            writer.close()

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            posted = Posted(head[0].split(" ")[1], headers, json.loads(body or b"[]"), number)
            self.posted.append(posted)
            reply = self.answer(posted)
            if reply.status is None:
                await asyncio.Event().wait()
            elif 200 <= reply.status < 300:
                self.taken[posted.path.rpartition("/")[2]] += posted.body
            lines = [f"{name}: {value}" for name, value in reply.headers.items()]
            writer.write("\r\n".join([f"HTTP/1.1 {reply.status} X", "Content-Length: 2", *lines, "", "{}"]).encode())
            await writer.drain()
