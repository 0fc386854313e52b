"""A Modbus PLC: many units behind one port or on one serial line, process-like values, faults on request."""

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from simulators.line import FrameError, Line
from simulators.modbus.faults import Faults
from simulators.modbus.frames import Frame, Framing, TcpFraming
from simulators.modbus.functions import (
    ExceptionCode,
    ModbusError,
    Request,
    exception_answer,
    parse,
    read_answer,
    write_answer,
)
from simulators.modbus.layout import Layout, Table, Unit
from simulators.modbus.memory import Memory
from simulators.modbus.record import Record, Seen
from simulators.modbus.rtu import RtuFraming
from simulators.modbus.spoiling import spoiled
from simulators.plc import Plc
from simulators.serial_door import SerialDoor
from simulators.signals import Moment


class ModbusPlc(Plc[Faults, Record]):
    """``async with ModbusPlc(layout) as plc`` listens on ``plc.port`` until the block ends.

    With ``serial=True`` it is on ``plc.serial_port`` in place of a TCP port; `framing` is then `RtuFraming` and
    else what the constructor is given: `TcpFraming`, or `RtuFraming` for a serial device server.

    Serves function codes 1, 2, 3, 4, 5, 6, 15 and 16, one request after the other a connection; for a unit that
    the layout does not name TCP answers with exception 11, and a serial line is silent.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        framing: Framing | None = None,
        serial: bool = False,
        serial_name: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        self._units = layout
        self._memories = {number: Memory(unit) for number, unit in layout.items()}
        self._reads = 0
        self._framing = framing or (RtuFraming() if serial else TcpFraming())
        door = SerialDoor(self.serve, name=serial_name) if serial else None
        super().__init__(Faults(), Record(), host=host, port=port, door=door, clock=clock, seed=seed)

    @property
    def serial_port(self) -> str:
        """The near end of its serial line, to be given to a client; empty on TCP."""
        return self._door.path if isinstance(self._door, SerialDoor) else ""

    def peek(self, unit: int, table: Table, address: int, count: int = 1) -> list[int]:
        """The words that a client would read now, without being counted as a read."""
        return self._memories[unit].read(table, address, count, self._moment())

    def poke(self, unit: int, table: Table, address: int, words: Sequence[int]) -> None:
        """Set plain memory or a setpoint, as the PLC's own program does."""
        self._memories[unit].poke(table, address, words)

    def _moment(self) -> Moment:
        return Moment(self.age_s, self._reads)

    async def converse(self, reader: asyncio.StreamReader, line: Line) -> None:
        """One question after the other; what is no frame ends it, unless the framing forgives that."""
        while True:
            try:
                question = await self._framing.read(reader)
            except FrameError:
                if not self._framing.forgiving:
                    raise
                self.record.malformed += 1
                continue
            if question.unit not in self._units and not self._framing.absent_units_answer:
                continue
            answer = Frame(question.transaction, question.unit, self._answer(question))
            if question.unit not in self.faults.silent_units:
                await line.answer(spoiled(answer, self._framing, self.faults))

    def _answer(self, question: Frame) -> bytes:
        function = question.pdu[0]
        self.record.requests += 1
        self.record.by_function[function] += 1
        try:
            return self._carry_out(question)
        except ModbusError as refusal:
            self.record.exceptions[refusal.code] += 1
            return exception_answer(function, refusal.code)

    def _carry_out(self, question: Frame) -> bytes:
        unit = self._units.get(question.unit)
        if unit is None:
            raise ModbusError(ExceptionCode.GATEWAY_NO_ANSWER)
        request = self._note(question, unit)
        self._refuse_if_faulty(request)
        memory = self._memories[question.unit]
        if request.words is None:
            words = memory.read(request.table, request.address, request.count, self._moment())
            return read_answer(request, words)
        memory.write(request.table, request.address, request.words)
        return write_answer(question.pdu)

    def _note(self, question: Frame, unit: Unit) -> Request:
        request = parse(question.pdu, unit)
        seen_in = self.record.writes
        if request.words is None:
            self._reads += 1
            seen_in = self.record.reads
        seen_in.append(Seen(self._clock(), question.unit, request, self._reads))
        return request

    def _refuse_if_faulty(self, request: Request) -> None:
        faults = self.faults
        if faults.busy:
            raise ModbusError(ExceptionCode.BUSY)
        if faults.exception is not None:
            raise ModbusError(faults.exception)
        if not faults.bad_addresses.isdisjoint(request.addresses):
            raise ModbusError(ExceptionCode.ILLEGAL_ADDRESS)
