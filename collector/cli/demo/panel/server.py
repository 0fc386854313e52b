"""Serves the demo's page on loopback: files and state to whoever asks from there, breaking only with the token.

The token stands behind the ``#`` of the link that the demo prints, and comes back in a header of its own: no other
page that a visitor has open knows it, nor may its requests bear that header.
"""

import asyncio
import hmac
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from types import TracebackType
from typing import Self

import orjson
from pydantic import ValidationError

from collector.cli.demo.brokers import HOST
from collector.cli.demo.panel.actions import Mischief, NotNow
from collector.cli.demo.panel.orders import ORDERS
from collector.cli.demo.panel.state import state_of
from collector.cli.demo.subscriber import Books
from simulators.door import Door
from simulators.http import HttpRequest, HttpResponse, converse

TOKEN_HEADER = "x-demo-token"  # noqa: S105 - the header's name
_KINDS = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_OF_THE_COLLECTOR = ("style.css", "theme.js", "dom.js", "icon.svg")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class PanelServer:
    """``async with PanelServer(mischief, page) as panel`` serves ``panel.link`` until the block ends."""

    def __init__(self, mischief: Mischief, books: Callable[[], Books], page: str) -> None:
        self._mischief = mischief
        self._books = books
        self._page = page
        self._token = secrets.token_urlsafe(12)
        self._door = Door(self._serve, host=HOST, port=0)
        self._files = _page_files()

    @property
    def link(self) -> str:
        """Opens the page with everything on it."""
        return f"http://{HOST}:{self._door.port}/#{self._token}"

    async def __aenter__(self) -> Self:
        await self._door.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._door.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(reader, writer, self._answer)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.headers.get("host") not in self._names():
            return _refusal(421, f"this is {HOST}:{self._door.port} and nothing else")
        if request.method == "POST" and request.path == "/do":
            return await self._obey(request)
        if request.method != "GET":
            return _refusal(405, f"{request.method} is not possible here")
        if request.path == "/state":
            return _json(200, state_of(self._mischief, self._books(), self._page))
        name = "index.html" if request.path == "/" else request.path.removeprefix("/static/")
        content = self._files.get(name)
        if content is None:
            return _refusal(404, "there is no such file")
        return HttpResponse(200, content, {**_HEADERS, "Content-Type": _KINDS[name.rpartition(".")[2]]})

    async def _obey(self, request: HttpRequest) -> HttpResponse:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return _refusal(403, "this must come from the demo's own page")
        if not hmac.compare_digest(request.headers.get(TOKEN_HEADER, "").encode(), self._token.encode()):
            return _refusal(401, "open the link that the demo has printed: it bears the token")
        try:
            await self._mischief.carry_out(ORDERS.validate_json(request.body))
        except ValidationError as error:
            return _refusal(422, "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()))
        except NotNow as reason:
            return _refusal(409, str(reason))
        return _json(200, state_of(self._mischief, self._books(), self._page))

    def _names(self) -> tuple[str, str]:
        return f"{HOST}:{self._door.port}", f"localhost:{self._door.port}"


def _page_files() -> Mapping[str, bytes]:
    own, lent = files("collector.cli.demo.panel").joinpath("page"), files("collector.web").joinpath("page")
    found = {name: lent.joinpath(name).read_bytes() for name in _OF_THE_COLLECTOR}
    return found | {each.name: each.read_bytes() for each in own.iterdir() if each.name.rpartition(".")[2] in _KINDS}


def _json(status: int, content: object) -> HttpResponse:
    return HttpResponse(status, orjson.dumps(content), {**_HEADERS, "Content-Type": "application/json"})


def _refusal(status: int, detail: str) -> HttpResponse:
    return _json(status, {"detail": detail})
