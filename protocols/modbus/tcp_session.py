"""One Modbus TCP connection to a device, or to a gateway with several units behind it."""

from collections.abc import Collection

from protocols.dialogue import Outcome
from protocols.errors import BadAnswer
from protocols.modbus.frames import HEADER_SIZE, Frame, header, request_frame, take_frames
from protocols.modbus.question import Question
from protocols.modbus.session import ModbusSession

_LAST_TRANSACTION = 0xFFFF


class ModbusTcpSession(ModbusSession):
    """Tells answers apart by their transaction ids.

    A request that was given up, by a deadline or by cancellation, leaves its transaction id behind, so that
    its late answer is known and thrown away. Any other unexpected bytes end the session.
    """

    def __init__(self, at: str) -> None:
        super().__init__(at)
        self._transaction = 0
        self._last_sent = 0
        self._late: set[int] = set()

    def _frame(self, question: Question) -> bytes:
        self._transaction = self._next_transaction()
        return request_frame(self._transaction, question.unit, question.pdu)

    def _next_transaction(self) -> int:
        self._last_sent = self._last_sent % _LAST_TRANSACTION + 1
        self._late.discard(self._last_sent)
        return self._last_sent

    def _answer_in(self, question: Question, data: bytes) -> bytes | None:
        size = question.byte_count
        if size is None or len(data) != HEADER_SIZE + 2 + size:
            return None
        begun = header(self._transaction, question.unit, size + 2) + question.answer_pdu
        return data[len(begun) :] if data.startswith(begun) else None

    def _given_up(self, question: Question) -> None:
        self._late.add(self._transaction)

    def _sift(self, question: Question | None) -> Outcome | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        outcome: Outcome | None = None
        for frame in take_frames(self._buffer):
            if question and outcome is None and frame.transaction == self._transaction:
                outcome = self._outcome(question, frame)
            elif not self._is_due(frame):
                raise BadAnswer(f"sent an answer to transaction {frame.transaction}, which nobody waits for")
        due = self._late if question is None or outcome is not None else self._late | {self._transaction}
        self._check_rest(due)
        return outcome

    def _check_rest(self, due: Collection[int]) -> None:
        """Raise `BadAnswer` if what is left can not be the beginning of an answer to one of these transactions."""
        if self._buffer and not due:
            raise BadAnswer(f"sent {len(self._buffer)} bytes more than were asked for")
        transaction = int.from_bytes(self._buffer[:2])
        if len(self._buffer) > 1 and transaction not in due:
            raise BadAnswer(f"began an answer to transaction {transaction}, which nobody waits for")

    def _outcome(self, question: Question, frame: Frame) -> Outcome:
        if frame.unit != question.unit:
            raise BadAnswer(f"answered as unit {frame.unit} where unit {question.unit} was asked")
        return question.outcome(frame.pdu)

    def _is_due(self, frame: Frame) -> bool:
        """Whether it answers something else that was asked, and is dealt with now."""
        if frame.transaction not in self._late:
            return False
        self._late.discard(frame.transaction)
        return True
