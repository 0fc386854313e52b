"""The one place where asyncua is asked and where its errors become ours."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Hashable, Iterator
from functools import cache
from typing import Any, TypeVar, cast

from asyncua import ua
from asyncua.client.ua_client import UaClient, UaClientState, UASocketProtocol
from asyncua.common.connection import TransportLimits
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, uatcp_to_binary
from asyncua.ua.uaerrors import UaStatusCodeError

from protocols.errors import BadAnswer, ConnectFailed, ProtocolError, RequestRefused, SessionError, SessionLost
from protocols.opcua import statuses
from protocols.opcua.lengths import refuse_impossible_lengths
from protocols.quality import Quality
from protocols.tcp import dial

# Drivers say what they have to say by returning and raising; the library also logs it, some of it each cycle.
_library_log = logging.getLogger("asyncua")
_library_log.setLevel(logging.CRITICAL + 1)
_library_log.addHandler(logging.NullHandler())
_library_log.propagate = False

refuse_impossible_lengths()

CHUNK = 65_535
"""Bytes of a piece of a message, as we ask for it; a server that sends more is ended at twice that."""

MOST_MESSAGE = 16 * 1024 * 1024
"""Bytes of a whole message; far more than 500 values have."""

MOST_CHUNKS = MOST_MESSAGE // 8192
"""Pieces of a message: the specification knows none that are smaller, but the last."""

FAREWELL_S = 0.5

PATIENCE_S = 3600.0
"""The library's own deadline: whoever asks has a shorter one."""

ResponseT = TypeVar("ResponseT")


class Undecodable(Exception):
    """The answer is to what was asked, but some value in it can not be made out."""


class _Link(UASocketProtocol):
    """Remembers why it ended, which the library only logs, and does not gather endless chunks."""

    def __init__(self, at: str, policy: Any) -> None:
        super().__init__(PATIENCE_S, security_policy=policy)
        self.at = at
        self.over: SessionError | None = None
        self.gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sifting = False

    def data_received(self, data: bytes) -> None:
        self._sifting = True
        try:
            super().data_received(data)
            if self._announced() > 2 * CHUNK:
                self.end(BadAnswer(f"{self.at} announced {self._announced()} bytes where {CHUNK} were agreed on"))
        finally:
            self._sifting = False

    def _announced(self) -> int:
        """The size of the piece that is still on its way."""
        begun = self.receive_buffer or b""
        return int.from_bytes(begun[4:8], "little") if len(begun) >= 8 else 0

    async def send_hello(self, url: str, max_messagesize: int = 0, max_chunkcount: int = 0) -> ua.Acknowledge:
        """Agree on sizes. The library itself takes what the server can receive for what it may send."""
        acknowledged: asyncio.Future[ua.Acknowledge] = asyncio.get_running_loop().create_future()
        self._callbackmap[0] = acknowledged
        hello = ua.Hello(
            ReceiveBufferSize=ua.UInt32(CHUNK),
            SendBufferSize=ua.UInt32(CHUNK),
            MaxMessageSize=ua.UInt32(MOST_MESSAGE),
            MaxChunkCount=ua.UInt32(0),
            EndpointUrl=ua.String(url),
        )
        if self.transport is not None:
            kind: Any = ua.MessageType.Hello
            self.transport.write(uatcp_to_binary(kind, hello))
        answer = await acknowledged
        self._connection._limits = TransportLimits(
            2 * CHUNK, min(CHUNK, answer.ReceiveBufferSize), MOST_CHUNKS, MOST_MESSAGE
        )
        return answer

    def disconnect_socket(self) -> None:
        trouble = sys.exc_info()[1] if self._sifting else None
        if isinstance(trouble, UaStatusCodeError):
            self.over = self.over or SessionLost(f"{self.at} ended the connection: {trouble}")
        elif trouble is not None:
            self.over = self.over or BadAnswer(f"{self.at} sent what is no answer to anything asked: {trouble}")
        super().disconnect_socket()

    def connection_lost(self, exc: Exception | None) -> None:
        why = f"broke: {getattr(exc, 'strerror', None) or exc}" if exc else "was closed by the device"
        self.over = self.over or SessionLost(f"the connection to {self.at} {why}")
        super().connection_lost(ConnectionError(str(self.over)))
        if not self.gone.done():
            self.gone.set_result(None)

    def end(self, error: SessionError) -> None:
        """Whoever waits is told `error`, and so is whoever asks later."""
        self.over = self.over or error
        if self.transport is not None:
            self.transport.abort()


class Wire(UaClient):
    """The library's client on a connection that is dialled as every driver dials."""

    def __init__(self, host: str, port: int, at: str) -> None:
        super().__init__(PATIENCE_S)
        self._host, self._port, self._at = host, port, at
        self._link: _Link | None = None

    @property
    def over(self) -> SessionError | None:
        """Why nothing can be asked any more; None while it can."""
        return self._link.over if self._link else SessionLost(f"{self._at} is not connected")

    async def connect_socket(self, host: str, port: int) -> None:
        """Dial the address that was given to us, whatever the library makes of the URL. Raises `ConnectFailed`."""
        self._set_state(UaClientState.CONNECTING)
        await dial(self._host, self._port, PATIENCE_S, self._make_protocol)
        self._set_state(UaClientState.SOCKET_OPEN)

    def _make_protocol(self) -> UASocketProtocol:
        link = _Link(self._at, self.security_policy)
        link.on_connection_lost = self._on_transport_lost
        link.is_session_closing = self._is_session_closing
        self._link = self.protocol = link
        return link

    async def ask(self, request: Any, answer: type[ResponseT], subject: str) -> ResponseT:
        """One service call; no deadline. Safe to cancel: a later answer is known and thrown away.

        Raises `SessionError`; `RequestRefused` when the server refused the call as a whole; `Undecodable`.
        """
        if self.over:
            raise self.over
        with self.own_errors(subject):
            body = await self._send_request(request, 0)
            found = nodeid_from_binary(body.copy())
            if found != _type_id(cast("Hashable", answer)):
                self.end(BadAnswer(f"{self._at} answered {subject} with a message of type {found.to_string()}"))
                raise self.over or SessionLost(self._at)
            try:
                response: Any = struct_from_binary(answer, body)
            except Exception as error:  # whatever the bytes make the library trip over is their fault
                raise Undecodable(f"{self._at} {subject}: the answer can not be read ({error})") from error
            response.ResponseHeader.ServiceResult.check()
            if body:
                self.end(BadAnswer(f"{self._at} answered {subject} with {len(body)} bytes too many"))
                raise self.over or SessionLost(self._at)
            return response  # type: ignore[no-any-return]

    async def take_leave(self) -> None:
        """Tell a server that still listens to forget the session, for it may have room for few. Never raises."""
        if self._link is None or self._link.transport is None or self._link.transport.is_closing():
            return
        with contextlib.suppress(Exception):  # whatever it makes of it: the connection is broken off next
            async with asyncio.timeout(FAREWELL_S):
                await self.close_session(True)
                await self.close_secure_channel()

    def condemn(self, error: SessionError) -> None:
        """Nothing more is asked; the connection stays for a farewell."""
        if self._link:
            self._link.over = self._link.over or error

    def end(self, error: SessionError) -> None:
        """Break the connection at once."""
        if self._link:
            self._link.end(error)

    async def gone(self) -> None:
        """Wait until the connection is closed."""
        if self._link and self._link.transport is not None:
            await self._link.gone

    @contextlib.contextmanager
    def own_errors(self, subject: str) -> Iterator[None]:
        """Turn what the library raises into `RequestRefused` and `SessionError`; what it can not read is the latter."""
        try:
            yield
        except UaStatusCodeError as error:
            raise self._refusal(error, subject) from None
        except OSError as error:
            raise self.over or SessionLost(f"the connection to {self._at} broke: {error}") from None
        except (ProtocolError, Undecodable):
            raise
        except Exception as error:  # whatever the bytes make the library trip over is their fault
            self.end(BadAnswer(f"{self._at} answered {subject} with what can not be read: {error}"))
            raise self.over or SessionLost(self._at) from error

    def _refusal(self, error: UaStatusCodeError, subject: str) -> SessionError | RequestRefused:
        if self.over:
            return self.over
        text = f"{self._at} {subject}: {error}"
        code = error.code or 0
        if statuses.ends_session(code):
            self.end(SessionLost(text))
            return SessionLost(text)
        return Refusal(code, text)


@cache
def _type_id(answer: Hashable) -> ua.NodeId:
    """What a message of this kind begins with."""
    of: ua.NodeId = cast("Any", answer)().TypeId
    return of


class Refusal(RequestRefused):
    """The server refused a service call; `status` is its code."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(statuses.quality_of(status) or Quality.DEVICE_ERROR, message)
        self.status = status


def connect_failed(at: str, error: Exception) -> ConnectFailed:
    """Why a session could not be opened, in words that say what to do."""
    if isinstance(error, ConnectFailed):
        return error
    status = error.status if isinstance(error, Refusal) else getattr(error, "code", None)
    advice = _ADVICE.get(status) if isinstance(status, int) else None
    return ConnectFailed(f"{at}: {advice} ({error})" if advice else f"{at}: {error}")


_UNTRUSTED = "the server does not trust the collector's certificate: trust it there, as its documentation says"
_LOGIN = "the server refused the log-in: check username and password, or the user's certificate"
_ADVICE: dict[int, str] = {
    ua.StatusCodes.BadUserAccessDenied: _LOGIN,
    ua.StatusCodes.BadIdentityTokenRejected: _LOGIN,
    ua.StatusCodes.BadIdentityTokenInvalid: _LOGIN,
    ua.StatusCodes.BadCertificateUntrusted: _UNTRUSTED,
    ua.StatusCodes.BadSecurityChecksFailed: _UNTRUSTED,
    ua.StatusCodes.BadCertificateInvalid: _UNTRUSTED,
    ua.StatusCodes.BadTooManySessions: "the server has no session left for us: close another client, or allow more",
    ua.StatusCodes.BadTcpEndpointUrlInvalid: "the server does not know this endpoint: check connection.path",
}
