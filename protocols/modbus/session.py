"""What a Modbus session does whatever it speaks through: one question at a time, and only its own answer counts."""

import asyncio
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias, cast

from protocols.base import Cycle
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.modbus.question import Question
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.writes import ModbusWrite

Outcome: TypeAlias = bytes | RequestRefused | NoAnswer


@dataclass(frozen=True, slots=True)
class _Waiting:
    question: Question
    answer: asyncio.Future[bytes]


class ModbusSession(asyncio.Protocol, ABC):
    """A connection, of which a subclass knows the frames. Nothing that does not match the question is an answer."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._waiting: _Waiting | None = None
        self._over: SessionError | None = None

    @abstractmethod
    async def _ready(self, question: Question) -> None:
        """Wait until the question may be sent."""

    @abstractmethod
    def _frame(self, question: Question) -> bytes:
        """The question as it goes on the wire, now."""

    @abstractmethod
    def _sift(self, question: Question | None) -> Outcome | None:
        """Take from the buffer what answers `question`, if it has come. Raises `BadAnswer`: the session is over."""

    @abstractmethod
    def _given_up(self, question: Question) -> None:
        """The answer to the question last sent is no longer waited for and may yet come."""

    async def read(self, request: ModbusRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        request.decoder.decode(await self._ask(request.question), cycle)

    async def write(self, write: ModbusWrite) -> None:
        """Carry out one write; see `protocols.base.Session.write`."""
        order = write.order
        if write.patch:
            order = write.onto(write.patch, await self._ask(write.patch.before))
        await self._ask(order)

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
            outcome = self._sift(waiting.question if waiting else None)
        except BadAnswer as error:
            self._end(BadAnswer(f"{waiting.question if waiting else self._at}: {error}"))
            return
        if waiting and outcome is not None:
            self._waiting = None
            _settle(waiting.answer, outcome)

    async def _ask(self, question: Question) -> bytes:
        self._check_open()
        await self._ready(question)
        transport = self._check_open()
        answer: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting = _Waiting(question, answer)
        transport.write(self._frame(question))
        deadline = self._loop.call_later(question.timeout_s, _time_out, self._waiting)
        try:
            return await answer
        finally:
            deadline.cancel()
            self._leave(answer)

    def _check_open(self) -> asyncio.Transport:
        if self._over or not self._transport:
            raise self._over or SessionLost(f"{self._at} is not connected")
        return self._transport

    def _leave(self, answer: asyncio.Future[bytes]) -> None:
        if self._waiting:
            self._given_up(self._waiting.question)
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


def _time_out(waiting: _Waiting) -> None:
    question = waiting.question
    if not waiting.answer.done():
        message = f"{question.where} did not answer {question.asked} within {question.timeout_s:g} s"
        waiting.answer.set_exception(NoAnswer(message))


def _settle(answer: asyncio.Future[bytes], outcome: Outcome) -> None:
    if answer.done():
        return  # given up in this very turn of the loop
    if isinstance(outcome, bytes):
        answer.set_result(outcome)
    else:
        answer.set_exception(outcome)
