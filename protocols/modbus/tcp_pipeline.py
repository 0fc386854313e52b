"""A Modbus TCP connection that asks ahead, for devices that take several questions at once (`max_in_flight`)."""

from collections import deque
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import cast

from protocols.base import Connection, Cycle, Request
from protocols.dialogue import Outcome
from protocols.errors import NoAnswer, RequestRefused
from protocols.modbus.connection import ModbusTcpConnection
from protocols.modbus.frames import Frame, request_frame
from protocols.modbus.question import Question
from protocols.modbus.requests import ModbusRequest
from protocols.modbus.tcp_session import ModbusTcpSession


@dataclass(slots=True)
class _Ahead:
    """A question that was sent before its turn, and what came of it so far."""

    question: Question
    outcome: Outcome | None = None


class ModbusTcpPipeline(ModbusTcpSession):
    """Of the requests that were announced at most `max_in_flight` are under way; answers wait for their turn.

    A question that was not announced, as a write is, goes out alone: all that is under way is waited for first.
    """

    def __init__(self, at: str) -> None:
        super().__init__(at)
        self._announced: deque[ModbusRequest] = deque()
        self._ahead: dict[int, _Ahead] = {}
        self._most = 1

    def announce(self, connection: Connection, requests: Sequence[Request]) -> None:
        """See `protocols.pipelining.Pipelining`."""
        self._late.update(transaction for transaction, sent in self._ahead.items() if sent.outcome is None)
        self._ahead.clear()
        self._announced.clear()
        self._most = cast(ModbusTcpConnection, connection).max_in_flight
        if self._most > 1:
            self._announced.extend(cast(Sequence[ModbusRequest], requests))

    async def read(self, request: ModbusRequest, cycle: Cycle) -> None:
        """Carry out one read; see `protocols.base.Session.read`."""
        if self._is_next(request):
            self._send_ahead()
            transaction, sent = next(iter(self._ahead.items()))
            del self._ahead[transaction]
            answer = await self._awaited_as(transaction, sent.question) if sent.outcome is None else _told(sent.outcome)
        else:
            if self._ahead:
                await self._let_come_in()
            answer = await self._ask(request.question)
        request.decoder.decode(answer, cycle)

    def _is_next(self, request: ModbusRequest) -> bool:
        if self._ahead:
            return next(iter(self._ahead.values())).question is request.question
        return bool(self._announced) and self._announced[0] is request

    def _send_ahead(self) -> None:
        """As many in one go as there is room for, once half of it is free: each write is a turn of its own."""
        due = sum(sent.outcome is None for sent in self._ahead.values())
        if not self._announced or due > self._most // 2:
            return
        transport, frames = self._check_open(), []
        while self._announced and due < self._most:
            question = self._announced.popleft().question
            transaction = self._next_transaction()
            self._ahead[transaction] = _Ahead(question)
            frames.append(request_frame(transaction, question.unit, question.pdu))
            if self._listener is not None:
                self._listener.sent(frames[-1])
            due += 1
        transport.write(b"".join(frames))

    async def _let_come_in(self) -> None:
        for transaction, sent in self._ahead.items():
            if sent.outcome is None:
                try:
                    sent.outcome = await self._awaited_as(transaction, sent.question)
                except RequestRefused as refusal:
                    sent.outcome = refusal

    def _awaited_as(self, transaction: int, question: Question) -> Awaitable[bytes]:
        self._check_open()
        self._transaction, self._question = transaction, question
        self._answer = self._loop.create_future()
        return self._answered_in_time(question)

    def _is_due(self, frame: Frame) -> bool:
        sent = self._ahead.get(frame.transaction)
        if sent is None or sent.outcome is not None:
            return super()._is_due(frame)
        sent.outcome = self._outcome(sent.question, frame)
        return True

    @property
    def _more_is_due(self) -> bool:
        return super()._more_is_due or any(sent.outcome is None for sent in self._ahead.values())


def _told(outcome: Outcome) -> bytes:
    if isinstance(outcome, RequestRefused | NoAnswer):
        raise outcome
    return outcome
