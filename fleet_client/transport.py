"""One GET at the Fleet server, with every limit, and the one place where httpx's errors become ours."""

import asyncio
import gzip
import hashlib
import io
import os
import re
import socket
import ssl
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from fleet_client.errors import FleetBadAnswer, FleetRefused, FleetUnreachable
from fleet_client.json_text import MAX_BODY_BYTES

CONNECT_TIMEOUT_S = 5.0
_HEADER_TEXT = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that makes sense here: ``status`` is 200, 304 or 404, and only a 200 has a body."""

    status: int
    body: bytes
    body_sha256: str
    etag: str | None
    server_date: datetime | None


class FleetTransport:
    """A connection to one base URL: the token goes nowhere else, redirects are not followed.

    Raises `ValueError`, without showing a secret, for a base URL or a token that can not be used.
    """

    def __init__(self, base_url: str, *, token: str | None, ca_file: Path | None, trust_env: bool) -> None:
        self._base = _base(base_url)
        self._ca_file = ca_file
        self._trust_env = trust_env
        self._headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": "edge-collector"}
        self._has_token = False
        self._http: httpx.AsyncClient | None = None
        if token:
            self.renew_token(token)

    @property
    def where(self) -> str:
        """The base URL for messages, without user and password."""
        return str(self._base.copy_with(userinfo=b"")).rstrip("/")

    def renew_token(self, token: str) -> None:
        """From the next request on. Raises `ValueError`, without showing it, for what no header can carry."""
        if not _HEADER_TEXT.fullmatch(token):
            raise ValueError("the token holds a space or a character that no HTTP header can carry")
        self._has_token = True
        self._base = self._base.copy_with(userinfo=b"")
        self._headers["Authorization"] = f"Bearer {token}"
        if self._http is not None:
            self._http.headers["Authorization"] = f"Bearer {token}"

    async def get(self, path: str, etag: str | None) -> Answer:
        """GET below the base URL, with ``etag`` as If-None-Match. Raises `FleetError`s; has no deadline of its own."""
        if self._http is None:
            self._http = await asyncio.to_thread(self._open)
        url = self._base.copy_with(path=self._base.path.rstrip("/") + path)
        try:
            async with self._http.stream("GET", url, headers=_condition(etag)) as response:
                return await self._read(response)
        except httpx.TimeoutException:
            raise FleetUnreachable(f"{self.where}: no connection within {CONNECT_TIMEOUT_S:g} s") from None
        except httpx.HTTPError as error:
            raise FleetUnreachable(f"{self.where}: {reason_of(error)}") from None

    async def close(self) -> None:
        """Let go of the connection."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    def _open(self) -> httpx.AsyncClient:
        try:
            trust = ssl.create_default_context(cafile=self._ca_file) if self._ca_file else None
        except OSError as error:
            reason = error.strerror or str(error)
            raise FleetUnreachable(
                f"the CA file {self._ca_file} can not be used: {reason}; expected certificates in PEM"
            ) from None
        try:
            return httpx.AsyncClient(
                verify=trust or httpx.create_ssl_context(trust_env=self._trust_env),
                trust_env=self._trust_env,
                follow_redirects=False,
                timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
                headers=self._headers,
            )
        except (ValueError, ImportError, httpx.InvalidURL):
            raise FleetUnreachable("a proxy variable of the environment holds no usable http:// proxy URL") from None

    async def _read(self, response: httpx.Response) -> Answer:
        status = response.status_code
        if status in (401, 403):
            raise FleetRefused(status, self._refusal(status))
        if response.has_redirect_location:
            raise FleetBadAnswer(self._redirect(response), status)
        if status not in (200, 304, 404):
            raise FleetBadAnswer(f"{self.where} answered HTTP {status}; expected 200 or 304", status)
        body = await self._body(response) if status == 200 else b""
        sha256 = await asyncio.to_thread(lambda: hashlib.sha256(body).hexdigest())
        return Answer(status, body, sha256, _etag(response), _date(response))

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Type", "").lower().startswith("text/html"):
            raise FleetBadAnswer(
                f"{self.where} answered with a web page; expected JSON: is this the address of the Fleet API?", 200
            )
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise FleetBadAnswer(f"{self.where} answered in the encoding {encoding[:40]!r}; expected gzip or none", 200)
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > MAX_BODY_BYTES:
                raise FleetBadAnswer(self._too_large(), 200)
        return bytes(body) if encoding == "identity" else await asyncio.to_thread(self._unpack, body)

    def _unpack(self, packed: bytes | bytearray) -> bytes:
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
                body = file.read(MAX_BODY_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise FleetBadAnswer(f"{self.where} answered with damaged gzip: {error}", 200) from None
        if len(body) > MAX_BODY_BYTES:
            raise FleetBadAnswer(self._too_large(), 200)
        return body

    def _too_large(self) -> str:
        return f"{self.where} answered with more than {MAX_BODY_BYTES:,} bytes; expected a config document"

    def _redirect(self, response: httpx.Response) -> str:
        try:
            target = httpx.URL(response.headers["Location"]).copy_with(userinfo=b"", query=None, fragment=None)
        except httpx.InvalidURL:
            target = httpx.URL("elsewhere")
        return (
            f"{self.where} redirects to {str(target)[:200]} (HTTP {response.status_code}); redirects are not "
            "followed: set EDGE_SERVER_URL to the server itself"
        )

    def _refusal(self, status: int) -> str:
        token = "does not accept the token of EDGE_API_TOKEN" if self._has_token else "asks for a token: EDGE_API_TOKEN"
        return f"{self.where} {token} (HTTP {status})"


def _base(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url.strip())
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError("the base URL of the Fleet server is none: expected http://host:port or https://host")
    return url.copy_with(query=None, fragment=None)


def _condition(etag: str | None) -> dict[bytes, bytes]:
    """If-None-Match with the very bytes the server sent; none for a text that no header can carry."""
    if etag is None or any(character < " " for character in etag):
        return {}
    try:
        return {b"If-None-Match": etag.encode("latin-1")}
    except UnicodeEncodeError:
        return {}


def _etag(response: httpx.Response) -> str | None:
    raw = next((value for name, value in response.headers.raw if name.lower() == b"etag"), b"")
    return raw.strip().decode("latin-1") or None


def _date(response: httpx.Response) -> datetime | None:
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)


def reason_of(error: httpx.HTTPError) -> str:
    """What the system said of a request that failed, where it did: the outer errors only say that an attempt failed."""
    reason, inner = str(error) or type(error).__name__, error.__cause__ or error.__context__
    while inner is not None:
        if isinstance(inner, ssl.SSLError | socket.gaierror):
            reason = inner.strerror or str(inner)
        elif isinstance(inner, OSError) and inner.errno:
            reason = os.strerror(inner.errno)
        inner = inner.__cause__ or inner.__context__
    return reason
