"""The way back to one client, with everything that can go wrong on it."""

import asyncio
import random

from simulators.s7.faults import Faults
from simulators.s7.frames import data_frames

_REFERENCE, _FUNCTION = slice(4, 6), 12
_OTHER_FUNCTION = {4: 5, 5: 4}


class Line:
    """Sends answers under the faults of the moment."""

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults, noise: random.Random) -> None:
        self._writer = writer
        self._faults = faults
        self._noise = noise
        self._held: bytes | None = None

    async def put(self, data: bytes) -> None:
        """Send bytes as they are, dripping if that is asked for."""
        pause_s = self._faults.drip_s
        pieces = (data[place : place + 1] for place in range(len(data))) if pause_s else (data,)
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)

    async def answer(self, message: bytes) -> None:
        """Let one answer go, spoiled or not. Raises `ConnectionResetError` when a fault is to close."""
        faults = self._faults
        if faults.silent:
            return
        if faults.slow_s:
            await asyncio.sleep(faults.slow_s)
        data = self._spoiled(message)
        if faults.half_frame or faults.half_and_close:
            data = data[: len(data) // 2]
        if faults.late and self._held is None:
            self._held = data
            return
        held, self._held = self._held, None
        await self.put((held or b"") + data)
        if faults.half_and_close:
            raise ConnectionResetError("closed in the middle of an answer, as asked for")

    def _spoiled(self, message: bytes) -> bytes:
        faults = self._faults
        if faults.garbage:
            return self._noise.randbytes(self._noise.randint(1, 300))
        spoiled = bytearray(message)
        if faults.wrong_reference:
            spoiled[_REFERENCE] = (int.from_bytes(message[_REFERENCE], "big") + 1 & 0xFFFF).to_bytes(2, "big")
        if faults.wrong_function and len(message) > _FUNCTION:
            spoiled[_FUNCTION] = _OTHER_FUNCTION.get(message[_FUNCTION], 0x1F)
        return data_frames(bytes(spoiled), piece=faults.fragments, extra_length=faults.wrong_length)
