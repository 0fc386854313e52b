"""An S7 CPU: PUT/GET over ISO on TCP, process-like values, faults on request."""

import asyncio
import time
from collections.abc import Callable

from simulators.line import FrameError, Line
from simulators.plc import Plc
from simulators.s7 import frames, functions
from simulators.s7.faults import Faults
from simulators.s7.functions import Item, Question, S7Error
from simulators.s7.layout import Area, Layout
from simulators.s7.memory import Memory
from simulators.s7.record import Record, Seen
from simulators.s7.spoiling import spoiled
from simulators.signals import Moment

_SHORTEST_PDU = 64


class S7Plc(Plc[Faults, Record]):
    """``async with S7Plc(layout) as plc`` listens on ``plc.port`` until the block ends.

    Serves read and write of up to 20 items in a message, one after the other a connection, and grants messages of
    `pdu` bytes (240, 480 or 960 are what real ones grant). What the layout does not name is refused with 0x0A, what
    lies past the end of a block with 0x05.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        pdu: int = 480,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        super().__init__(Faults(), Record(), host=host, port=port, clock=clock, seed=seed)
        self.pdu = pdu
        self._memories = {place: Memory(block) for place, block in layout.items()}
        self._reads = 0

    def peek(self, area: Area, db: int, start: int, size: int) -> bytes:
        """The bytes that a client would read now, without being counted as a read."""
        return self._memories[area, db].read(start, size, self._moment())

    def poke(self, area: Area, db: int, start: int, data: bytes) -> None:
        """Set plain memory or a setpoint, as the CPU's own program does."""
        self._memories[area, db].poke(start, data)

    def _moment(self) -> Moment:
        return Moment(self.age_s, self._reads)

    async def converse(self, reader: asyncio.StreamReader, line: Line) -> None:
        """The connection of COTP, the negotiation of S7, then one question after the other."""
        request = await frames.read_tpdu(reader)
        if request.kind != frames.CONNECT or len(request.header) < 5:
            raise FrameError
        await line.put(frames.refuse(request) if self.faults.wrong_slot else frames.confirm(request))
        granted = 0
        while not self.faults.wrong_slot:
            message = await _read_message(reader)
            question, answer = self._answer(message, granted)
            if question is None or question.function != functions.SETUP:
                await line.answer(spoiled(answer, self.faults))
            elif not self.faults.deaf:
                granted = int.from_bytes(answer[-2:], "big")
                await line.put(frames.data_frames(answer))

    def _answer(self, message: bytes, granted: int) -> tuple[Question | None, bytes]:
        self.record.questions += 1
        reference = int.from_bytes(message[4:6], "big")
        try:
            question = functions.parse(message)
            return question, self._carry_out(question, granted, len(message))
        except S7Error as refusal:
            self.record.refused[refusal.code] += 1
            return None, functions.error_answer(reference, refusal.code)

    def _carry_out(self, question: Question, granted: int, size: int) -> bytes:
        if question.function == functions.SETUP:
            return functions.setup_answer(question.reference, min(self.pdu, max(question.pdu, _SHORTEST_PDU)))
        self._refuse_if_faulty()
        if size > granted or len(question.items) > functions.MOST_ITEMS:
            raise S7Error(functions.BAD_SIZE)
        if question.function == functions.WRITE:
            self.record.writes.append(Seen(self._clock(), question))
            codes = [self._write(item, data) for item, data in zip(question.items, question.data, strict=True)]
            return functions.write_answer(question.reference, codes)
        self._reads += 1
        self.record.reads.append(Seen(self._clock(), question))
        found = [self._read(item) for item in question.items]
        answer = functions.read_answer(question.reference, self._fewer(found), list(question.items)[: len(found)])
        if len(answer) > granted:
            raise S7Error(functions.BAD_SIZE)
        return answer

    def _read(self, item: Item | int) -> bytes | int:
        try:
            memory, item = self._found(item)
        except S7Error as refusal:
            self.record.refused[refusal.code] += 1
            return refusal.code
        data = memory.read(item.places.start, len(item.places), self._moment())
        return data if item.bit is None else bytes([data[0] >> item.bit & 1])

    def _write(self, item: Item | int, data: bytes) -> int:
        try:
            memory, item = self._found(item)
        except S7Error as refusal:
            self.record.refused[refusal.code] += 1
            return refusal.code
        if len(data) != len(item.places):
            return functions.TYPE
        if item.bit is not None:
            memory.write_bit(item.start, item.bit, bool(data[0]))
        else:
            memory.write(item.places.start, data)
        return functions.OK

    def _found(self, item: Item | int) -> tuple[Memory, Item]:
        """Where an item lies. Raises `S7Error` where nothing is."""
        if isinstance(item, int):
            raise S7Error(item)
        memory = self._memories.get((item.area, item.db))
        in_db = item.area is Area.DB
        if memory is None or (in_db and item.db in self.faults.optimised_blocks):
            raise S7Error(functions.MISSING)
        if item.places.stop > memory.size or (in_db and not self.faults.bad_bytes.isdisjoint(item.places)):
            raise S7Error(functions.RANGE)
        return memory, item

    def _refuse_if_faulty(self) -> None:
        if self.faults.put_get_off:
            raise S7Error(functions.NOT_ALLOWED)
        if self.faults.error is not None:
            raise S7Error(self.faults.error)

    def _fewer(self, found: list[bytes | int]) -> list[bytes | int]:
        if self.faults.lost_item:
            del found[-1]
        elif self.faults.fewer and isinstance(found[-1], bytes):
            found[-1] = found[-1][:-1]
        return found


async def _read_message(reader: asyncio.StreamReader) -> bytes:
    message = b""
    while True:
        tpdu = await frames.read_tpdu(reader)
        if tpdu.kind != frames.DATA:
            raise FrameError
        message += tpdu.carried
        if tpdu.last:
            return message
        if len(message) > functions.MOST_MESSAGE:
            raise FrameError
