"""One TCP connection to an XGT PLC."""

import asyncio
from dataclasses import dataclass
from typing import cast

from protocols.base import Cycle
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.xgt.families import LARGE_CPUS
from protocols.xgt.frames import Frame, Nak, Question, open_answer, request_frame, take_frames
from protocols.xgt.plc_info import plc_remark
from protocols.xgt.refusals import refusal
from protocols.xgt.requests import XgtRequest
from protocols.xgt.writes import BitOfWord, XgtWrite

_LAST_INVOKE = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Waiting:
    invoke: int
    question: Question
    target: XgtRequest | XgtWrite
    answer: asyncio.Future[bytes]

    @property
    def asked(self) -> str:
        return f"{self.target.where} {self.target.asked}"


class XgtSession(asyncio.Protocol):
    """One request at a time. Nothing is taken for an answer that does not match the request in every field.

    Invoke ids begin at `first_invoke`, which should differ from session to session, for modules have been seen to
    deliver an answer to another asker. A request that was given up, by a deadline or by cancellation, leaves its
    id behind, so that its late answer is known and thrown away. Any other unexpected bytes end the session.
    """

    def __init__(self, where: str, first_invoke: int = 1) -> None:
        self._where = where
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._invoke = first_invoke - 1
        self._waiting: _Waiting | None = None
        self._given_up: set[int] = set()
        self._over: SessionError | None = None
        self._last: Frame | None = None
        self._grants_large: bool | None = None

    @property
    def remark(self) -> str | None:
        """What the last answer said of the PLC: ``PLC in RUN``. None before there was one."""
        if self._last is None:
            return None
        remark = plc_remark(self._last.plc_info)
        if self._last.summed_up:
            return remark
        return "; ".join(filter(None, (remark, "the checksum of its headers is wrong")))

    async def read(self, request: XgtRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        if not request.smaller or self._grants_large:
            request.decoder.decode(await self._ask(request, request.question), cycle)
            return
        blocks = [await self._ask(part, part.question) for part in request.smaller]
        for part, block in zip(request.smaller, blocks, strict=True):
            part.decoder.decode(block, cycle)
        if self._grants_large is None and self._last and self._last.cpu in LARGE_CPUS:
            await self._probe(request)

    async def write(self, write: XgtWrite) -> None:
        """Carry out one write; see `protocols.base.Session.write`."""
        order = write.order
        if isinstance(order, BitOfWord):
            order = order.changed(await self._ask(write, order.read))
        await self._ask(write, order)

    async def close(self) -> None:
        """Drop the connection, whatever is still on its way."""
        self._end(SessionLost(f"the session with {self._where} was closed"))
        if self._transport:
            await self._gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop: whoever waits is told at once."""
        why = f"broke: {getattr(exc, 'strerror', None) or exc}" if exc else "was closed by the device"
        self._end(SessionLost(f"the connection to {self._where} {why}"))
        if not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._buffer += data
        waiting = self._waiting
        try:
            outcome = self._sift(waiting)
        except BadAnswer as error:
            self._end(BadAnswer(f"{waiting.asked if waiting else self._where}: {error}"))
            return
        if waiting and outcome is not None:
            self._waiting = None
            _settle(waiting, outcome)

    async def _ask(self, target: XgtRequest | XgtWrite, question: Question) -> bytes:
        if self._over or not self._transport:
            raise self._over or SessionLost(f"{self._where} is not connected")
        answer: asyncio.Future[bytes] = self._loop.create_future()
        waiting = self._waiting = _Waiting(self._next_invoke(), question, target, answer)
        self._transport.write(request_frame(target.cpu, waiting.invoke, question.body))
        deadline = self._loop.call_later(target.timeout_s, _give_up, waiting)
        try:
            return await answer
        finally:
            deadline.cancel()
            self._leave(answer)

    async def _probe(self, request: XgtRequest) -> None:
        """Find out, once a session, whether large blocks are granted; the cycle has its values already."""
        self._grants_large = False
        try:
            await self._ask(request, request.question)
        except (RequestRefused, NoAnswer):
            return
        self._grants_large = True

    def _sift(self, waiting: _Waiting | None) -> bytes | Nak | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        outcome: bytes | Nak | None = None
        for frame in take_frames(self._buffer):
            if waiting and outcome is None and frame.invoke == waiting.invoke:
                outcome = open_answer(frame.body, waiting.question)
                self._last = frame
            elif frame.invoke in self._given_up:
                self._given_up.discard(frame.invoke)
            else:
                raise BadAnswer(f"sent an answer with invoke id {frame.invoke}, which nobody waits for")
        nothing_is_due = (waiting is None or outcome is not None) and not self._given_up
        if self._buffer and nothing_is_due:
            raise BadAnswer(f"sent {len(self._buffer)} bytes more than were asked for")
        return outcome

    def _next_invoke(self) -> int:
        self._invoke = self._invoke % _LAST_INVOKE + 1
        self._given_up.discard(self._invoke)
        return self._invoke

    def _leave(self, answer: asyncio.Future[bytes]) -> None:
        if self._waiting:
            self._given_up.add(self._waiting.invoke)
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


def _give_up(waiting: _Waiting) -> None:
    target = waiting.target
    if not waiting.answer.done():
        message = f"{target.where} did not answer {target.asked} within {target.timeout_s:g} s"
        waiting.answer.set_exception(NoAnswer(message))


def _settle(waiting: _Waiting, outcome: bytes | Nak) -> None:
    if waiting.answer.done():
        return  # given up in this very turn of the loop
    if isinstance(outcome, Nak):
        one_device = not isinstance(waiting.target, XgtRequest) or waiting.target.one_device
        waiting.answer.set_exception(refusal(outcome.code, waiting.asked, one_device=one_device))
    else:
        waiting.answer.set_result(outcome)
