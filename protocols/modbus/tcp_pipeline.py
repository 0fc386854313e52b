"""A Modbus TCP connection that asks ahead, for devices that take several questions at once (`max_in_flight`)."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from protocols.base import Connection, Cycle, Request
from protocols.dialogue import Outcome
from protocols.errors import BadAnswer, NoAnswer, RequestRefused
from protocols.modbus.connection import ModbusTcpConnection
from protocols.modbus.frames import Frame, request_frame, take_frames
from protocols.modbus.question import Question
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.tcp_session import ModbusTcpSession


@dataclass(slots=True)
class _Asked:
    """A question of a volley, and what came of it so far."""

    question: Question
    outcome: Outcome | None = None


class ModbusTcpPipeline(ModbusTcpSession):
    """Of the requests that were announced up to `max_in_flight` go out together: a volley.

    None of its answers is believed before all are in: one that was cut short has taken its end from the next, which
    can not be whole then. So a volley fails as one, by a wrong byte or by silence; a refusal is an answer like others.
    What was not announced, as a write is, goes out alone, and never while a volley is waited for. Answers to one that
    was given up may still come, then or later, and are thrown away.
    """

    def __init__(self, at: str) -> None:
        super().__init__(at)
        self._announced: deque[ModbusRequest] = deque()
        self._volley: deque[_Asked] = deque()
        self._under_way: dict[int, _Asked] = {}
        self._most = 1

    def announce(self, connection: Connection, requests: Sequence[Request]) -> int:
        """See `protocols.pipelining.Pipelining`."""
        self._forget()
        self._most = cast(ModbusTcpConnection, connection).max_in_flight
        if self._most > 1:
            self._announced.extend(cast(Sequence[ModbusRequest], requests))
        return self._most

    async def read(self, request: ModbusRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        if not self._volley and self._announced and self._announced[0] is request:
            await self._fire()
        if self._volley and self._volley[0].question is request.question:
            answer = _told(self._volley.popleft().outcome)
        else:
            answer = await self._ask(request.question)
        request.decoder.decode(answer, cycle)

    async def _fire(self) -> None:
        """Ask as much at once as the device takes, and wait for all of it. Raises `SessionError`."""
        transport, frames = self._check_open(), list[bytes]()
        while self._announced and len(frames) < self._most:
            question = self._announced.popleft().question
            transaction = self._next_transaction()
            self._under_way[transaction] = asked = _Asked(question)
            self._volley.append(asked)
            frames.append(request_frame(transaction, question.unit, question.pdu))
            if self._listener is not None:
                self._listener.sent(frames[-1])
        self._question, self._answer = self._volley[0].question, self._loop.create_future()
        transport.write(b"".join(frames))
        await self._answered_in_time(self._question)

    def _forget(self) -> None:
        """What was asked and is not answered may yet be."""
        self._late.update(self._under_way)
        self._under_way.clear()
        self._volley.clear()
        self._announced.clear()

    def _given_up(self, question: Question) -> None:
        if self._under_way:
            self._forget()
        else:
            super()._given_up(question)

    def _answer_in(self, question: Question, data: bytes) -> bytes | None:
        return None if self._under_way else super()._answer_in(question, data)

    def _sift(self, question: Question | None) -> Outcome | None:
        """Of a volley there is nothing to be said until all of it is answered; `b""` then."""
        if not self._under_way:
            return super()._sift(question)
        due = len(self._under_way)
        for frame in take_frames(self._buffer):
            if not self._is_due(frame):
                raise BadAnswer(f"sent an answer to transaction {frame.transaction}, which nobody waits for")
        self._check_rest(self._late | self._under_way.keys())
        if not self._under_way:
            return b""
        if len(self._under_way) < due:
            self._question = next(iter(self._under_way.values())).question
            self._deadline = self._loop.time() + self._question.timeout_s
        return None

    def _is_due(self, frame: Frame) -> bool:
        asked = self._under_way.pop(frame.transaction, None)
        if asked is None:
            return super()._is_due(frame)
        asked.outcome = self._outcome(asked.question, frame)
        return True


def _told(outcome: Outcome | None) -> bytes:
    if isinstance(outcome, RequestRefused | NoAnswer):
        raise outcome
    assert outcome is not None  # noqa: S101 - a volley is only read when all of it is answered
    return outcome
