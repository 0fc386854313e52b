"""Who may ask what: the Host header, the token, and the headers that every answer bears."""

import hmac
from email.utils import formatdate
from http.cookies import CookieError, SimpleCookie

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from collector.web.hosts import AllowedHosts, name_of
from collector.web.token import COOKIE, Token

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LOGIN = "/api/v1/login"
PROBES = frozenset({"/health", "/liveness", "/readiness"})
_FOR_ALL = PROBES | {"/login", LOGIN}
_READING = frozenset({"GET", "HEAD"})
LOG_IN = "the token is needed: run edge-collector page-url on the gateway and open the link that it prints"
FOREIGN = "a change must come from this page or bear the token; it came from another site"


class Guard:
    """An ASGI application around another. `open_reading`: who listens on loopback lets everybody there look.

    Whatever changes something needs the token in any case.
    """

    def __init__(self, app: ASGIApp, hosts: AllowedHosts, token: Token, *, open_reading: bool) -> None:
        self._app = app
        self._hosts = hosts
        self._token = token
        self._open_reading = open_reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = Headers(scope=scope)
        scope.setdefault("state", {})["trusted"] = trusted = self._trusted(headers)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
                answer.setdefault("Cache-Control", "no-store")
                answer.setdefault("Date", formatdate(usegmt=True))
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], headers, trusted)
        if refusal is None:
            await self._app(scope, receive, send_guarded)
        else:
            await _answer(send_guarded, *refusal)

    def _refusal(self, method: str, path: str, headers: Headers, trusted: bool) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._hosts.allows(host):
            return 421, f"this is not {name_of(host)[:80]!r}: add the name to HTTP_ALLOWED_HOSTS if it should be"
        if path.startswith("/static/") or path in _FOR_ALL:
            return None if method in _READING or _same_origin(headers) else (403, FOREIGN)
        if method in _READING:
            if self._open_reading or trusted:
                return None
            return (303, "/login") if path == "/" else (401, LOG_IN)
        if not trusted:
            return 401, LOG_IN
        return None if _same_origin(headers) else (403, FOREIGN)

    def _trusted(self, headers: Headers) -> bool:
        scheme, _, offered = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._token.fits(offered.strip())
        try:
            cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self._token.fits_cookie(cookie.value)


def _same_origin(headers: Headers) -> bool:
    """Browsers say where a change comes from; other programs do not."""
    origin = headers.get("origin")
    return origin is None or hmac.compare_digest(origin.partition("://")[2].encode(), headers["host"].encode())


async def _answer(send: Send, status: int, detail: str) -> None:
    body = b"" if status == 303 else orjson.dumps({"detail": detail})
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 303:
        headers.append((b"location", detail.encode()))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
