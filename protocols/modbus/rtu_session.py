"""Modbus RTU: one serial line, or a device server that stands for one, with one or several units."""

import asyncio
from contextlib import suppress

from protocols.dialogue import Outcome
from protocols.errors import BadAnswer
from protocols.modbus.debts import LineDebts
from protocols.modbus.question import Question
from protocols.modbus.rtu_frames import BadChecksum, rtu_frame, take_answer
from protocols.modbus.session import ModbusSession

_GLITCHES = b"\0\xff"
"""What a line shows when a sender switches on or off. No frame begins so, for units are 1 to 247."""


class ModbusRtuSession(ModbusSession):
    """Tells answers apart by unit, function, size and checksum, and by asking no unit that still owes an answer.

    What comes while nobody waits is thrown away: lines are noisy. While somebody waits, anything but the
    answer, glitches around it, or the late answer of another unit ends the session.
    """

    def __init__(self, at: str, debts: LineDebts, character_s: float = 0.0, silence_s: float = 0.0) -> None:
        super().__init__(at)
        self._debts = debts
        self._character_s = character_s
        self._silence_s = silence_s
        self._free_at = self._loop.time() + silence_s
        self._damaged = False
        self._stirred = asyncio.Event()

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        super().connection_lost(exc)
        self._stirred.set()

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._free_at = self._loop.time() + self._silence_s
        super().data_received(data)

    async def _ask(self, question: Question) -> bytes:
        self._check_open()
        await self._debt_paid(question.unit)
        await self._silence(question)
        self._buffer.clear()
        return await super()._ask(question)

    async def _debt_paid(self, unit: int) -> None:
        while not self._over and (debt := self._debts.of(unit, self._loop.time())):
            self._stirred.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(debt.until):
                    await self._stirred.wait()

    async def _silence(self, question: Question) -> None:
        deadline = self._loop.time() + question.timeout_s
        while (rest_s := self._free_at - self._loop.time()) > 0:
            if self._free_at > deadline:
                self.end(BadAnswer(f"{self._at} is never silent: noise, other serial settings, or a second master"))
                return
            await asyncio.sleep(rest_s)

    def _frame(self, question: Question) -> bytes:
        frame = rtu_frame(question.unit, question.pdu)
        self._damaged = False
        self._free_at = self._loop.time() + len(frame) * self._character_s + self._silence_s
        return frame

    def _given_up(self, question: Question) -> None:
        if not self._damaged:
            self._debts.record(question, self._loop.time())

    def _sift(self, question: Question | None) -> Outcome | None:
        try:
            return self._outcome(question)
        except BadChecksum:
            self._damaged = True
            if question:
                raise
        except BadAnswer:
            if question:
                raise
        self._buffer.clear()
        return None

    def _outcome(self, question: Question | None) -> Outcome | None:
        outcome: Outcome | None = None
        while self._cleared_of_glitches():
            unit = self._buffer[0]
            if question and outcome is None and unit == question.unit:
                pdu = take_answer(self._buffer, question)
                outcome = None if pdu is None else question.outcome(pdu)
            elif debt := self._debts.of(unit, self._loop.time()):
                pdu = take_answer(self._buffer, debt.question)
                if pdu is not None:
                    self._debts.settle(unit)
                    self._stirred.set()
            else:
                raise BadAnswer(self._stray(question, outcome))
            if pdu is None:
                break
        return outcome

    def _cleared_of_glitches(self) -> int:
        """How many bytes there are, after glitches at the front have gone."""
        del self._buffer[: len(self._buffer) - len(self._buffer.lstrip(_GLITCHES))]
        return len(self._buffer)

    def _stray(self, question: Question | None, outcome: Outcome | None) -> str:
        if question is None or outcome is not None:
            return f"sent {len(self._buffer)} bytes more than were asked for"
        return f"answered as unit {self._buffer[0]} where unit {question.unit} was asked"
