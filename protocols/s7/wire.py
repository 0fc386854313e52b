"""The connection beneath python-snap7's client: whole messages out and in, nothing taken for what it is not."""

import asyncio
from dataclasses import dataclass
from typing import cast

from protocols.errors import BadAnswer, ConnectFailed, SessionError, SessionLost
from protocols.s7.connection import S7Connection
from protocols.s7.frames import (
    CONNECT_CONFIRM,
    DISCONNECT_REQUEST,
    HEADERS,
    check_answer,
    connect_request,
    data_frame,
    reference,
    take_data,
    take_tpdus,
)
from protocols.s7.refusals import WRONG_PLACE


@dataclass(slots=True)
class _Waiting:
    """`number` is the reference of the message that waits for its answer, None while the connection is confirmed."""

    number: int | None
    answer: asyncio.Future[bytes]


class S7Wire(asyncio.Protocol):
    """One message at a time, the way python-snap7 asks for it: `send_data`, then `receive_data`.

    The library's own streams would take a late answer with an error for that to the next question, leave a closed
    connection unnoticed while nothing is asked, and count their time-outs from byte to byte. Here an answer that was
    given up leaves its reference behind, so that it is known when it comes; any other unexpected bytes end it all.
    """

    def __init__(self, connection: S7Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._message = bytearray()
        self._waiting: _Waiting | None = None
        self._given_up: set[int] = set()
        self._over: SessionError | None = None

    async def handshake(self) -> None:
        """Have the CPU in our rack and slot confirm the connection. Raises `SessionError`."""
        connection = self._connection
        self._ask(None, connect_request(connection.rack, connection.slot))
        try:
            tpdu = await self.receive_data()
        except SessionLost:
            raise ConnectFailed(
                f"{connection.where} closed the connection before it stood: the rack or slot may be wrong "
                f"({WRONG_PLACE}), or the CPU has no connection left"
            ) from None
        if tpdu[1] == DISCONNECT_REQUEST:
            raise ConnectFailed(f"{connection.where} is not there: wrong rack or slot; {WRONG_PLACE}")
        if tpdu[1] != CONNECT_CONFIRM:
            raise BadAnswer(f"{connection.where} confirmed no connection, but sent a TPDU of kind 0x{tpdu[1]:02X}")

    async def send_data(self, data: bytes) -> None:
        """Send an S7 message; called by python-snap7."""
        number = reference(data)
        self._given_up.discard(number)
        self._ask(number, data_frame(data))

    async def receive_data(self) -> bytes:
        """The answer to what was sent last; called by python-snap7. Safe to cancel."""
        waiting = self._waiting
        if waiting is None:
            raise self._over or SessionLost(f"nothing was asked of {self._connection.at}")
        try:
            return await waiting.answer
        finally:
            if self._waiting is waiting:
                self._waiting = None
                if waiting.number is not None:
                    self._given_up.add(waiting.number)
            if waiting.answer.done() and not waiting.answer.cancelled():
                waiting.answer.exception()  # seen, even if a cancellation came in between

    def end(self, error: SessionError) -> None:
        """Drop the connection; whoever waits is told why."""
        if self._over:
            return
        self._over = error
        waiting, self._waiting = self._waiting, None
        if waiting and not waiting.answer.done():
            waiting.answer.set_exception(error)
        if self._transport:
            self._transport.abort()

    async def close(self) -> None:
        """Drop the connection, whatever is still on its way."""
        self.end(SessionLost(f"the session with {self._connection.at} was closed"))
        if self._transport:
            await self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop: whoever waits is told at once."""
        why = f"broke: {getattr(exc, 'strerror', None) or exc}" if exc else "was closed by the device"
        self.end(SessionLost(f"the connection to {self._connection.at} {why}"))
        if not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        waiting = self._waiting
        try:
            answer = self._sift(waiting)
        except BadAnswer as error:
            self.end(BadAnswer(f"{self._connection.where} {error}"))
            return
        if waiting and answer is not None:
            self._waiting = None
            if not waiting.answer.done():
                waiting.answer.set_result(answer)

    def _ask(self, number: int | None, frame: bytes) -> None:
        if self._over or not self._transport:
            raise self._over or SessionLost(f"{self._connection.at} is not connected")
        self._waiting = _Waiting(number, self._loop.create_future())
        self._transport.write(frame)

    def _sift(self, waiting: _Waiting | None) -> bytes | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        answer: bytes | None = None
        for tpdu in take_tpdus(self._buffer, HEADERS + self._connection.pdu):
            if waiting and waiting.number is None and answer is None:
                answer = tpdu
                continue
            piece, last = take_data(tpdu)
            self._message += piece
            if len(self._message) > self._connection.pdu:
                raise BadAnswer(f"sent a message of over {self._connection.pdu} bytes")
            if not last:
                continue
            message, self._message = bytes(self._message), bytearray()
            check_answer(message)
            number = reference(message)
            if waiting and answer is None and number == waiting.number:
                answer = message
            elif number in self._given_up:
                self._given_up.discard(number)
            else:
                raise BadAnswer(f"sent an answer to message {number}, which nobody waits for")
        nothing_is_due = (waiting is None or answer is not None) and not self._given_up
        if nothing_is_due and (self._buffer or self._message):
            raise BadAnswer("sent more bytes than were asked for")
        return answer
