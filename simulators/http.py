"""The small part of HTTP/1.1 that a simulated server needs: requests with a length, connections kept alive."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_HEAD = 64 * 1024
_MAX_BODY = 64 * 1024 * 1024
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What a client asks. Header names are in lower case; `path` is decoded."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What it gets. `body_sent` below the body's size breaks the connection there, `drip_s` sends byte by byte."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    body_sent: int | None = None
    drip_s: float = 0.0


Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpResponse]]


class BadRequestError(Exception):
    """This is no HTTP request that can be answered; the connection ends after saying so."""


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """Serve one connection until either side has had enough."""
    while True:
        try:
            request = await _read_request(reader)
        except BadRequestError as error:
            await _send(writer, HttpResponse(400, f"{error}\n".encode()), keep=False)
            return
        keep = request.headers.get("connection", "").lower() != "close"
        response = await handler(request)
        await _send(writer, response, keep=keep)
        if not keep or response.body_sent is not None:
            return


async def _read_request(reader: asyncio.StreamReader) -> HttpRequest:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise BadRequestError(f"the request's head is over {MAX_HEAD} bytes") from None
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    words = first.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise BadRequestError(f"expected 'METHOD /path HTTP/1.1', found {first[:80]!r}")
    headers = dict(_header(line) for line in lines)
    target = urlsplit(words[1])
    query = dict(parse_qsl(target.query))
    return HttpRequest(words[0], unquote(target.path), query, headers, await _read_body(reader, headers))


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name:
        raise BadRequestError(f"expected 'Name: value', found {line[:80]!r}")
    return name.lower(), value.strip()


async def _read_body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise BadRequestError("chunked bodies are not understood here: send a Content-Length")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _MAX_BODY:
        raise BadRequestError(f"Content-Length {length!r} is not a number up to {_MAX_BODY}")
    return await reader.readexactly(int(length))


async def _send(writer: asyncio.StreamWriter, response: HttpResponse, *, keep: bool) -> None:
    headers = {"Date": formatdate(usegmt=True), **response.headers}
    if response.status not in _BODILESS:
        headers["Content-Length"] = str(len(response.body))
    if not keep:
        headers["Connection"] = "close"
    lines = [f"HTTP/1.1 {response.status} {_phrase(response.status)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
    if response.status not in _BODILESS:
        await _send_body(writer, response.body[: response.body_sent], response.drip_s)
    await writer.drain()


async def _send_body(writer: asyncio.StreamWriter, body: bytes, drip_s: float) -> None:
    if not drip_s:
        writer.write(body)
        return
    for place in range(len(body)):
        writer.write(body[place : place + 1])
        await writer.drain()
        await asyncio.sleep(drip_s)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
