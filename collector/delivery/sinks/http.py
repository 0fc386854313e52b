"""HTTP: JSON arrays by POST, each kind at a path of its own, done with at 2xx."""

import asyncio
from collections.abc import Sequence

import httpx

from collector.delivery.message import Entry
from collector.delivery.sinks.destination import Away, Settle
from collector.delivery.sinks.posting import Answer, Posting, Room, Verdict
from fleet_client.transport import reason_of

_CONNECT_S = 5.0
_ANSWER_S = 15.0
_REQUEST_S = 30.0
_LONGEST_REST_S = 600.0
_MOST_ANSWER_BYTES = 1 << 16
_TOO_LARGE = 413
_BAD_BODY = 400, 422
_ASK_LATER = 408, 425, 429


class Http:
    """A `Destination`: `POST {base}/data`, `/events` and `/log`, on one connection that is kept."""

    def __init__(self, base: str, *, username: str | None, password: str | None) -> None:
        self._base = base
        self._auth = httpx.BasicAuth(username, password or "") if username else None
        self._room = Room(1 << 20)
        self._client: httpx.AsyncClient | None = None

    async def open(self) -> None:
        """Prepare; the connection is made by the first request."""
        self._client = await asyncio.to_thread(self._new_client)

    async def deliver(self, batch: Sequence[Entry], settle: Settle) -> None:
        """A request for each kind in it, or more where a body is refused. Raises `Away`, `LettersUnwanted`."""
        await Posting(self._post, settle, self._room).deliver(batch)

    async def greet(self) -> int:
        """The HTTP status that a HEAD of the base is answered with. Raises `Away`."""
        return (await self._ask("HEAD", self._base, b"")).status_code

    async def close(self) -> None:
        """Let go of the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _new_client(self) -> httpx.AsyncClient:
        # Reading certificates takes tens of milliseconds: hence the thread.
        trust = httpx.create_ssl_context(trust_env=False)
        trust.load_default_certs()  # a plant's own authority is where the system has it, or SSL_CERT_FILE
        return httpx.AsyncClient(
            verify=trust,
            auth=self._auth,
            trust_env=False,  # `TRUST_ENV`, for a proxy, is about the Fleet server alone
            follow_redirects=False,
            timeout=httpx.Timeout(_ANSWER_S, connect=_CONNECT_S),
            headers={"Content-Type": "application/json", "User-Agent": "edge-collector"},
        )

    async def _post(self, kind: str, body: bytes) -> Answer:
        return _understood(await self._ask("POST", f"{self._base}/{kind}", body), f"/{kind}")

    async def _ask(self, method: str, url: str, body: bytes) -> httpx.Response:
        assert self._client is not None  # noqa: S101 - whoever asks opens first
        try:
            async with asyncio.timeout(_REQUEST_S), self._client.stream(method, url, content=body) as response:
                await _read_out(response)
                return response
        except (httpx.TimeoutException, TimeoutError):
            raise Away("no answer in time") from None
        except httpx.HTTPError as error:
            raise Away(reason_of(error)) from None


async def _read_out(response: httpx.Response) -> None:
    """A connection can be kept only once its answer is read; a long one is not worth it."""
    size = 0
    async for piece in response.aiter_raw():
        size += len(piece)
        if size > _MOST_ANSWER_BYTES:
            return


def _understood(response: httpx.Response, path: str) -> Answer:
    """Raises `Away` for what is not a matter of this body or this path."""
    status = response.status_code
    said = f"{path} answers HTTP {status}"
    if response.is_success:
        return Answer(Verdict.TAKEN, said)
    if status == _TOO_LARGE:
        return Answer(Verdict.TOO_LARGE, said)
    if status in _BAD_BODY:
        return Answer(Verdict.BAD_BODY, said)
    if (status >= 500 and status != 501) or status in _ASK_LATER:
        raise Away(said, _rest_s(response))
    if response.has_redirect_location:
        said += ", a redirect, which is not followed: set UPLINK_URL to the server itself"
    elif status in (401, 403):
        said += ": it wants another user and password in UPLINK_URL"
    return Answer(Verdict.UNWANTED, said)


def _rest_s(response: httpx.Response) -> float:
    """Retry-After in seconds; as a date it is not worth a clock that both sides agree on."""
    text = response.headers.get("Retry-After", "").strip()
    return min(float(text), _LONGEST_REST_S) if text.isdecimal() and len(text) < 10 else 0.0
