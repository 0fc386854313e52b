"""One TCP connection to a Modbus device, or to a gateway with several units behind it."""

import asyncio
from dataclasses import dataclass
from typing import cast

from protocols.base import Cycle
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.modbus.frames import Frame, exception_code, read_payload, request_frame, take_frames
from protocols.modbus.refusals import refusal
from protocols.modbus.requests import ModbusRequest

_LAST_TRANSACTION = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Waiting:
    transaction: int
    request: ModbusRequest
    answer: asyncio.Future[bytes]


class ModbusTcpSession(asyncio.Protocol):
    """One request at a time. Nothing is taken for an answer that does not match the request in every field.

    A request that was given up, by a deadline or by cancellation, leaves its transaction id behind, so that
    its late answer is known and thrown away. Any other unexpected bytes end the session.
    """

    def __init__(self, at: str) -> None:
        self._at = at
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._transaction = 0
        self._waiting: _Waiting | None = None
        self._given_up: set[int] = set()
        self._over: SessionError | None = None

    async def read(self, request: ModbusRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        if self._over or not self._transport:
            raise self._over or SessionLost(f"{self._at} is not connected")
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting = _Waiting(self._next_transaction(), request, answer)
        self._transport.write(request_frame(self._waiting.transaction, request.unit, request.pdu))
        deadline = self._loop.call_later(request.timeout_s, self._give_up, self._waiting)
        try:
            block = await answer
        finally:
            deadline.cancel()
            self._leave(answer)
        request.decoder.decode(block, cycle)

    async def close(self) -> None:
        """Drop the connection, whatever is still on its way."""
        self._end(SessionLost(f"the session with {self._at} was closed"))
        if self._transport:
            await self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop: whoever waits is told at once."""
        why = f"broke: {getattr(exc, 'strerror', None) or exc}" if exc else "was closed by the device"
        self._end(SessionLost(f"the connection to {self._at} {why}"))
        if not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        waiting = self._waiting
        try:
            outcome = self._sift(waiting)
        except BadAnswer as error:
            who = _asked(waiting.request) if waiting else self._at
            self._end(BadAnswer(f"{who}: {error}"))
            return
        if waiting and outcome is not None:
            self._waiting = None
            _settle(waiting.answer, outcome)

    def _sift(self, waiting: _Waiting | None) -> bytes | RequestRefused | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        outcome: bytes | RequestRefused | None = None
        for frame in take_frames(self._buffer):
            if waiting and outcome is None and frame.transaction == waiting.transaction:
                outcome = _outcome(waiting.request, frame)
            elif frame.transaction in self._given_up:
                self._given_up.discard(frame.transaction)
            else:
                raise BadAnswer(f"sent an answer to transaction {frame.transaction}, which nobody waits for")
        nothing_is_due = (waiting is None or outcome is not None) and not self._given_up
        if self._buffer and nothing_is_due:
            raise BadAnswer(f"sent {len(self._buffer)} bytes more than were asked for")
        return outcome

    def _next_transaction(self) -> int:
        self._transaction = self._transaction % _LAST_TRANSACTION + 1
        self._given_up.discard(self._transaction)
        return self._transaction

    def _give_up(self, waiting: _Waiting) -> None:
        request = waiting.request
        if not waiting.answer.done():
            message = f"{request.where} did not answer {request.asked} within {request.timeout_s:g} s"
            waiting.answer.set_exception(NoAnswer(message))

    def _leave(self, answer: asyncio.Future[bytes]) -> None:
        if self._waiting:
            self._given_up.add(self._waiting.transaction)
            self._waiting = None
        if answer.done() and not answer.cancelled():
            answer.exception()  # seen, even if a cancellation came in between

    def _end(self, error: SessionError) -> None:
        if self._over:
            return
        self._over = error
        if self._waiting and not self._waiting.answer.done():
            self._waiting.answer.set_exception(error)
        if self._transport:
            self._transport.abort()


def _settle(answer: asyncio.Future[bytes], outcome: bytes | RequestRefused) -> None:
    if answer.done():
        return  # given up in this very turn of the loop
    if isinstance(outcome, bytes):
        answer.set_result(outcome)
    else:
        answer.set_exception(outcome)


def _outcome(request: ModbusRequest, frame: Frame) -> bytes | RequestRefused:
    if frame.unit != request.unit:
        raise BadAnswer(f"answered as unit {frame.unit} where unit {request.unit} was asked")
    code = exception_code(frame.pdu, request.function)
    if code is not None:
        return refusal(code, _asked(request), request.function)
    return read_payload(frame.pdu, request.function, request.byte_count)


def _asked(request: ModbusRequest) -> str:
    return f"{request.where} {request.asked}"
