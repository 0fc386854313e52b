"""A Fleet server that answers by script: one reply a path, served as often as it is asked for."""

import asyncio
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes out. ``sent`` is how many bytes of the body really go before the connection is closed.

    ``pause_s`` lies between the bytes of the body.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    etag: str | None = None
    sent: int | None = None
    pause_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that came in, header names in lower case."""

    path: str
    headers: dict[str, str]


class FleetServer:
    """Listens on a free loopback port; an unknown path is a 404, a matching If-None-Match a 304."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.replies: dict[str, Reply] = {}
        self.seen: list[Seen] = []
        self.url = ""

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [seen.path for seen in self.seen]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        scheme = "https" if self._tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await self._answer(_request(head), writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone, as some tests want it to
        finally:
            writer.close()

    async def _answer(self, request: Seen, writer: asyncio.StreamWriter) -> None:
        self.seen.append(request)
        reply = self.replies.get(request.path, Reply(404))
        if reply.etag is not None and request.headers.get("if-none-match") == reply.etag:
            reply = Reply(304, etag=reply.etag, headers=reply.headers)
        headers = {"Connection": "close", **reply.headers}
        if reply.status != 304:
            headers.setdefault("Content-Length", str(len(reply.body)))
        if reply.etag is not None:
            headers["ETag"] = reply.etag
        lines = [f"HTTP/1.1 {reply.status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        await _send(writer, reply.body[: reply.sent], reply.pause_s)


async def _send(writer: asyncio.StreamWriter, body: bytes, pause_s: float) -> None:
    if not pause_s:
        writer.write(body)
    else:
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(pause_s)
    await writer.drain()


def _request(head: bytes) -> Seen:
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Seen(first.split(" ")[1], {name.lower(): value for name, value in headers.items()})
