"""One TCP connection to an XGT PLC."""

from dataclasses import dataclass

from protocols.base import Cycle
from protocols.dialogue import Outcome, TimedDialogue
from protocols.errors import BadAnswer, NoAnswer, RequestRefused
from protocols.xgt.families import LARGE_CPUS
from protocols.xgt.frames import Frame, Nak, Question, open_answer, request_frame, take_frames
from protocols.xgt.plc_info import plc_remark
from protocols.xgt.refusals import refusal
from protocols.xgt.requests import XgtRequest
from protocols.xgt.writes import BitOfWord, XgtWrite

_LAST_INVOKE = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Asked:
    """An instruction under way, and for which request or write."""

    instruction: Question
    target: XgtRequest | XgtWrite

    @property
    def where(self) -> str:
        return self.target.where

    @property
    def asked(self) -> str:
        return self.target.asked

    @property
    def timeout_s(self) -> float:
        return self.target.timeout_s

    def __str__(self) -> str:
        return f"{self.where} {self.asked}"


class XgtSession(TimedDialogue[_Asked]):
    """Tells answers apart by their invoke ids; see `open_answer` for all else that must match.

    Invoke ids begin at `first_invoke`, which should differ from session to session, for modules have been seen to
    deliver an answer to another asker. A request that was given up, by a deadline or by cancellation, leaves its
    id behind, so that its late answer is known and thrown away. Any other unexpected bytes end the session.
    """

    def __init__(self, at: str, first_invoke: int = 1) -> None:
        super().__init__(at)
        self._invoke = first_invoke - 1
        self._late: set[int] = set()
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
            request.decoder.decode(await self._ask(_Asked(request.question, request)), cycle)
            return
        blocks = [await self._ask(_Asked(part.question, part)) for part in request.smaller]
        for part, block in zip(request.smaller, blocks, strict=True):
            part.decoder.decode(block, cycle)
        if self._grants_large is None and self._last and self._last.cpu in LARGE_CPUS:
            await self._probe(request)

    async def write(self, write: XgtWrite) -> None:
        """Carry out one write; see `protocols.base.Session.write`."""
        order = write.order
        if isinstance(order, BitOfWord):
            order = order.changed(await self._ask(_Asked(order.read, write)))
        await self._ask(_Asked(order, write))

    async def _probe(self, request: XgtRequest) -> None:
        """Find out, once a session, whether large blocks are granted; the cycle has its values already."""
        self._grants_large = False
        try:
            await self._ask(_Asked(request.question, request))
        except (RequestRefused, NoAnswer):
            return
        self._grants_large = True

    def _frame(self, question: _Asked) -> bytes:
        self._invoke = self._invoke % _LAST_INVOKE + 1
        self._late.discard(self._invoke)
        return request_frame(question.target.cpu, self._invoke, question.instruction.body)

    def _given_up(self, question: _Asked) -> None:
        self._late.add(self._invoke)

    def _sift(self, question: _Asked | None) -> Outcome | None:
        """What was waited for, if it has come, and only if all that came along with it is in order too."""
        outcome: Outcome | None = None
        for frame in take_frames(self._buffer):
            if question and outcome is None and frame.invoke == self._invoke:
                outcome = _outcome(frame.body, question)
                self._last = frame
            elif frame.invoke in self._late:
                self._late.discard(frame.invoke)
            else:
                raise BadAnswer(f"sent an answer with invoke id {frame.invoke}, which nobody waits for")
        nothing_is_due = (question is None or outcome is not None) and not self._late
        if self._buffer and nothing_is_due:
            raise BadAnswer(f"sent {len(self._buffer)} bytes more than were asked for")
        return outcome


def _outcome(body: bytes, asked: _Asked) -> bytes | RequestRefused:
    answer = open_answer(body, asked.instruction)
    if isinstance(answer, Nak):
        one_device = not isinstance(asked.target, XgtRequest) or asked.target.one_device
        return refusal(answer.code, str(asked), one_device=one_device)
    return answer
