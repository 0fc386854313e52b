"""The connection beneath python-snap7's client: whole messages out and in, nothing taken for what it is not."""

from dataclasses import dataclass

from protocols.dialogue import Dialogue
from protocols.errors import BadAnswer, ConnectFailed, SessionLost
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


@dataclass(frozen=True, slots=True)
class _Sent:
    """`number` is the reference of the message that waits for its answer, None while the connection is confirmed."""

    where: str
    number: int | None

    def __str__(self) -> str:
        return self.where


class S7Wire(Dialogue[_Sent]):
    """One message at a time, the way python-snap7 asks for it: `send_data`, then `receive_data`.

    The library's own streams would take a late answer with an error for that to the next question, leave a closed
    connection unnoticed while nothing is asked, and count their time-outs from byte to byte. Here an answer that was
    given up leaves its reference behind, so that it is known when it comes; any other unexpected bytes end it all.
    """

    def __init__(self, connection: S7Connection) -> None:
        super().__init__(connection.at)
        self._connection = connection
        self._message = bytearray()
        self._late: set[int] = set()

    async def handshake(self) -> None:
        """Have the CPU in our rack and slot confirm the connection. Raises `SessionError`."""
        connection = self._connection
        self._send(_Sent(connection.where, None), connect_request(connection.rack, connection.slot))
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
        self._late.discard(number)
        self._send(_Sent(self._connection.where, number), data_frame(data))

    async def receive_data(self) -> bytes:
        """The answer to what was sent last; called by python-snap7. Safe to cancel."""
        if self._question is None:
            raise self._over or SessionLost(f"nothing was asked of {self._at}")
        return await self._answered()

    def _given_up(self, question: _Sent) -> None:
        if question.number is not None:
            self._late.add(question.number)

    def _sift(self, question: _Sent | None) -> bytes | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        answer: bytes | None = None
        for tpdu in take_tpdus(self._buffer, HEADERS + self._connection.pdu):
            if question and question.number is None and answer is None:
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
            if question and answer is None and number == question.number:
                answer = message
            elif number in self._late:
                self._late.discard(number)
            else:
                raise BadAnswer(f"sent an answer to message {number}, which nobody waits for")
        nothing_is_due = (question is None or answer is not None) and not self._late
        if nothing_is_due and (self._buffer or self._message):
            raise BadAnswer("sent more bytes than were asked for")
        return answer
