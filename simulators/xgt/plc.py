"""An XGT PLC behind its Ethernet module: process-like values, faults on request."""

import asyncio
import random
import socket
import struct
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from simulators.door import Door
from simulators.modbus.signals import Moment
from simulators.xgt.families import Family, family_of
from simulators.xgt.faults import Faults
from simulators.xgt.frames import Answer, FrameError, Question, read_question
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
from simulators.xgt.line import Line
from simulators.xgt.memory import Memory
from simulators.xgt.naks import Nak, NakCode
from simulators.xgt.names import SIZES
from simulators.xgt.record import Record

_RUN, _STOP, _ERROR = 0x0100, 0x0200, 0x0480
_XGK = family_of("xgk")


class XgtPlc:
    """``async with XgtPlc(memory) as plc`` listens on ``plc.port`` until the block ends.

    Serves reads and writes, one request after the other a connection. It closes with a reset, as Ethernet modules
    do. `faults` spoils it, `record` tells what it saw. `clock` gives monotonic seconds, which drive the signals.
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
        memory.install(family)
        self.faults = Faults()
        self.record = Record()
        self.memory = memory
        self._family = family
        self._clock = clock
        self._started = clock()
        self._noise = random.Random(seed)
        self._reads = 0
        self._open = 0
        self._running = False
        self._door = Door(self._serve, host=host, port=port)
        self.faults.on_change = self._live_or_die

    @property
    def host(self) -> str:
        """Where it listens."""
        return self._door.host

    @property
    def port(self) -> int:
        """Where it listens; the same over ``faults.dead``."""
        return self._door.port

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return self._open

    def drop_connections(self) -> None:
        """Break every open connection; new ones are welcome."""
        self._door.drop()

    async def __aenter__(self) -> Self:
        self._running = True
        self._live_or_die()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        await self._door.close()

    def _live_or_die(self) -> None:
        if self.faults.dead and self._door.is_open:
            self._door.shut()
            self._door.drop()
        elif self._running and not self.faults.dead:
            self._door.open()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = struct.pack("ii", 1, 0)  # close by reset
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        limit = self.faults.connection_limit
        if self._open >= (self._family.max_connections if limit is None else limit):
            self.record.turned_away += 1
            return
        self.record.connections += 1
        self._open += 1
        try:
            await self._converse(reader, Line(writer, self.faults, self._noise))
        finally:
            self._open -= 1

    async def _converse(self, reader: asyncio.StreamReader, line: Line) -> None:
        while True:
            try:
                question = await read_question(reader)
            except FrameError:
                self.record.malformed += 1
                return
            instruction = self._answer(question)
            if instruction is not None:
                info = self._family.plc_info | self._state()
                await line.answer(Answer(question.company, info, self._family.cpu, question.invoke, instruction))

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
            moment = Moment(self._clock() - self._started, self._reads)
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
