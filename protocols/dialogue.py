"""A connection on which one question at a time is asked: who waits for what, until when, and what ends it.

A driver adds what its frames look like. It is no matter whether they go over TCP or a serial line.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Generic, Protocol, TypeAlias, TypeVar, cast

from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.overhearing import LISTENER, FrameListener

Outcome: TypeAlias = bytes | RequestRefused | NoAnswer

_NEARLY_S = 0.001  # loops round their timers to milliseconds


class TimedQuestion(Protocol):
    """A question that knows how long its answer may take. All but `timeout_s` is for messages."""

    @property
    def where(self) -> str: ...

    @property
    def asked(self) -> str: ...

    @property
    def timeout_s(self) -> float: ...


QuestionT = TypeVar("QuestionT")
TimedQuestionT = TypeVar("TimedQuestionT", bound=TimedQuestion)


class Dialogue(asyncio.Protocol, ABC, Generic[QuestionT]):
    """Nothing that does not match the question is an answer. `at` and a question's text are for messages."""

    def __init__(self, at: str) -> None:
        self._at = at
        self._loop = asyncio.get_running_loop()
        self._gone: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._question: QuestionT | None = None
        self._answer: asyncio.Future[bytes] = self._loop.create_future()
        self._over: SessionError | None = None
        self._listener = LISTENER.get()

    @abstractmethod
    def _sift(self, question: QuestionT | None) -> Outcome | None:
        """Take from the buffer what answers `question`, if it has come. Raises `BadAnswer`: the session is over."""

    def _answer_in(self, question: QuestionT, data: bytes) -> bytes | None:
        """The answer to `question`, if `data` is all of the right one and nothing else: `_sift` says the same of it,
        and is asked in all other cases. Only for speed."""
        return None

    @abstractmethod
    def _given_up(self, question: QuestionT) -> None:
        """The answer to the question last sent is no longer waited for and may yet come."""

    def overhear(self, listener: FrameListener | None) -> None:
        """See `protocols.overhearing.Overheard`."""
        self._listener = listener

    async def close(self) -> None:
        """Drop the connection, whatever is still on its way."""
        self.end(SessionLost(f"the session with {self._at} was closed"))
        if self._transport:
            await self._gone

    def end(self, error: SessionError) -> None:
        """Drop the connection; whoever waits is told why."""
        if self._over:
            return
        self._over = error
        if self._question is not None and not self._answer.done():
            self._answer.set_exception(error)
        if self._transport:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop: whoever waits is told at once."""
        why = f"broke: {getattr(exc, 'strerror', None) or exc}" if exc else "was closed by the device"
        self.end(SessionLost(f"the connection to {self._at} {why}"))
        if not self._gone.done():
            self._gone.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        if self._listener is not None:
            self._listener.received(data)
        question = self._question
        if question is not None and not self._buffer and (answer := self._answer_in(question, data)) is not None:
            self._question = None
            if not self._answer.done():
                self._answer.set_result(answer)
            return
        self._buffer += data
        try:
            outcome = self._sift(question)
        except BadAnswer as error:
            self.end(BadAnswer(f"{self._at if question is None else question}: {error}"))
            return
        if question is None or outcome is None:
            return
        self._question = None
        if self._answer.done():
            return  # given up in this very turn of the loop
        if isinstance(outcome, bytes):
            self._answer.set_result(outcome)
        else:
            self._answer.set_exception(outcome)

    def _check_open(self) -> asyncio.Transport:
        if self._over or not self._transport:
            raise self._over or SessionLost(f"{self._at} is not connected")
        return self._transport

    def _send(self, question: QuestionT, frame: bytes) -> None:
        transport = self._check_open()
        self._answer = self._loop.create_future()
        self._question = question
        if self._listener is not None:
            self._listener.sent(frame)
        transport.write(frame)

    async def _answered(self) -> bytes:
        """The answer to what was sent last. Safe to cancel."""
        answer = self._answer
        try:
            return await answer
        finally:
            if self._question is not None:
                self._given_up(self._question)
                self._question = None
            if answer.done() and not answer.cancelled():
                answer.exception()  # seen, even if a cancellation came in between


class TimedDialogue(Dialogue[TimedQuestionT]):
    """Answers have a deadline. One timer serves all questions: most are answered long before it rings."""

    def __init__(self, at: str) -> None:
        super().__init__(at)
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    @abstractmethod
    def _frame(self, question: TimedQuestionT) -> bytes:
        """The question as it goes on the wire, now."""

    def end(self, error: SessionError) -> None:
        """Drop the connection; whoever waits is told why."""
        super().end(error)
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _ask(self, question: TimedQuestionT) -> Awaitable[bytes]:
        self._send(question, self._frame(question))
        return self._answered_in_time(question)

    def _answered_in_time(self, question: TimedQuestionT) -> Awaitable[bytes]:
        """The answer to a question that has been sent, which has all its time from now on."""
        self._deadline = self._loop.time() + question.timeout_s
        if self._timer is None or self._rings_at > self._deadline:
            self._set_timer()
        return self._answered()

    def _set_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
        self._rings_at = self._deadline
        self._timer = self._loop.call_at(self._deadline, self._ring)

    def _ring(self) -> None:
        self._timer = None
        question = self._question
        if question is None or self._answer.done():
            return
        if self._deadline - self._loop.time() > _NEARLY_S:
            self._set_timer()
            return
        message = f"{question.where} did not answer {question.asked} within {question.timeout_s:g} s"
        self._answer.set_exception(NoAnswer(message))
