"""An XGT PLC behind its Ethernet module: process-like values, faults on request."""

import asyncio
import time
from collections.abc import Callable

from simulators.line import Line
from simulators.plc import Plc
from simulators.signals import Moment
from simulators.xgt.families import Family, family_of
from simulators.xgt.faults import Faults
from simulators.xgt.frames import Answer, Question, read_question
from simulators.xgt.instructions import (
    STATUS,
    NotUnderstood,
    Request,
    nak_answer,
    parse,
    read_answer,
    status_answer,
    write_answer,
)
from simulators.xgt.memory import Memory
from simulators.xgt.naks import Nak, NakCode
from simulators.xgt.names import SIZES
from simulators.xgt.record import Record
from simulators.xgt.spoiling import spoiled

_RUN, _STOP, _ERROR = 0x0100, 0x0200, 0x0480
_XGK = family_of("xgk")


class XgtPlc(Plc[Faults, Record]):
    """``async with XgtPlc(memory) as plc`` listens on ``plc.port`` until the block ends.

    Serves reads and writes, one request after the other a connection. It closes with a reset, as Ethernet modules
    do, and has no more connections than the family grants.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        family: Family = _XGK,
        host: str = "127.0.0.1",
        port: int = 0,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(
            Faults(),
            Record(),
            host=host,
            port=port,
            most_connections=family.max_connections,
            resets=True,
            clock=clock,
            seed=seed,
        )
        memory.install(family)
        self.memory = memory
        self._family = family
        self._reads = 0

    async def converse(self, reader: asyncio.StreamReader, line: Line) -> None:
        """One question after the other."""
        while True:
            question = await read_question(reader)
            instruction = self._answer(question)
            if instruction is not None:
                info = self._family.plc_info | self._state()
                answer = Answer(question.company, info, self._family.cpu, question.invoke, instruction)
                await line.answer(spoiled(answer, self.faults))

    def _answer(self, question: Question) -> bytes | None:
        self.record.requests += 1
        self.record.invokes.append(question.invoke)
        try:
            question.check_sum(strict=self.faults.strict_checksum)
            return self._carry_out(parse(question.instruction, self._family))
        except NotUnderstood:
            return None
        except Nak as nak:
            self.record.naks[nak.code] += 1
            return nak_answer(question.instruction, nak.code, short=self.faults.short_nak)

    def _carry_out(self, request: Request) -> bytes:
        self._refuse_if_faulty(request)
        reserved = self.record.requests % 3 << 8  # it has been seen to change from 0 to 2, for no known reason
        if request.command == STATUS:
            return status_answer(self._family.plc_info | self._state())
        sizes = [request.size or SIZES[place.letter] for place in request.places]
        if request.data is None:
            self._reads += 1
            self.record.reads.append(request)
            moment = Moment(self.age_s, self._reads)
            found = [self.memory.read(place, size, moment) for place, size in zip(request.places, sizes, strict=True)]
            return read_answer(request, found, reserved)
        for place, size in zip(request.places, sizes, strict=True):
            self.memory.check_write(place, size)
        for place, data in zip(request.places, request.data, strict=True):
            self.memory.write(place, data)
        self.record.writes.append(request)
        return write_answer(request, reserved)

    def _refuse_if_faulty(self, request: Request) -> None:
        if self.faults.nak is not None:
            raise Nak(self.faults.nak)
        bad = self.faults.bad_addresses
        if bad and any(byte // 2 in bad for place in request.places for byte in request.bytes_of(place)):
            raise Nak(NakCode.PAST_THE_END)

    def _state(self) -> int:
        if self.faults.in_error:
            return _ERROR
        return _STOP if self.faults.stopped else _RUN
