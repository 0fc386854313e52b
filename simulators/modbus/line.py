"""The way back to one client, with everything that can go wrong on it."""

import asyncio
import random
from dataclasses import replace

from simulators.modbus.faults import Faults
from simulators.modbus.frames import Frame, Framing

_NORMAL_ANSWER = 0x80


class Line:
    """Sends answers under the faults of the moment."""

    def __init__(self, writer: asyncio.StreamWriter, framing: Framing, faults: Faults, noise: random.Random) -> None:
        self._writer = writer
        self._framing = framing
        self._faults = faults
        self._noise = noise
        self._held: bytes | None = None

    async def answer(self, frame: Frame) -> None:
        """Let one answer go, spoiled or not. Raises `ConnectionResetError` when a fault is to close."""
        faults = self._faults
        if faults.silent or frame.unit in faults.silent_units:
            return
        if faults.slow_s:
            await asyncio.sleep(faults.slow_s)
        data = self._spoiled(frame)
        if faults.half_frame or faults.half_and_close:
            data = data[: len(data) // 2]
        if faults.late and self._held is None:
            self._held = data
            return
        held, self._held = self._held, None
        await self._put((held or b"") + data)
        if faults.half_and_close:
            raise ConnectionResetError("closed in the middle of an answer, as asked for")

    async def _put(self, data: bytes) -> None:
        pause_s = self._faults.drip_s
        pieces = (data[place : place + 1] for place in range(len(data))) if pause_s else (data,)
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)

    def _spoiled(self, frame: Frame) -> bytes:
        faults = self._faults
        if faults.garbage:
            return self._noise.randbytes(self._noise.randint(1, 300))
        if faults.wrong_transaction:
            frame = replace(frame, transaction=(frame.transaction + 1) & 0xFFFF)
        if faults.wrong_unit:
            frame = replace(frame, unit=(frame.unit + 1) & 0xFF)
        if faults.wrong_function:
            frame = replace(frame, pdu=bytes((_other_function(frame.pdu[0]),)) + frame.pdu[1:])
        if faults.fewer:
            frame = replace(frame, pdu=_with_fewer(frame.pdu))
        return self._framing.encode(frame, extra_length=faults.wrong_length, wrong_checksum=faults.wrong_checksum)


def _other_function(function: int) -> int:
    """A function of the same shape of answer, so that nothing but the code is wrong."""
    return {1: 2, 2: 1, 3: 4, 4: 3, 5: 6, 6: 5, 15: 16, 16: 15}.get(function, function ^ 1)


def _with_fewer(pdu: bytes) -> bytes:
    if pdu[0] >= _NORMAL_ANSWER or pdu[0] > 4:
        return pdu
    missing = 1 if pdu[0] <= 2 else 2
    return bytes((pdu[0], max(0, pdu[1] - missing))) + pdu[2 : len(pdu) - missing]
