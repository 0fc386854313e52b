"""The way back to one client, with everything that can go wrong on it."""

import asyncio
import random

from simulators.faults import PlcFaults


class FrameError(Exception):
    """What came can not be a frame."""


class Line:
    """Sends answers under the faults of the moment."""

    def __init__(self, writer: asyncio.StreamWriter, faults: PlcFaults, noise: random.Random) -> None:
        self._writer = writer
        self._faults = faults
        self._noise = noise
        self._held: bytes | None = None

    async def answer(self, data: bytes) -> None:
        """Let one answer go, spoiled or not. Raises `ConnectionResetError` when a fault is to close."""
        faults = self._faults
        if faults.silent:
            return
        if faults.slow_s:
            await asyncio.sleep(faults.slow_s)
        if faults.garbage:
            data = self._noise.randbytes(self._noise.randint(1, 300))
        if faults.half_frame or faults.half_and_close:
            data = data[: len(data) // 2]
        if faults.late and self._held is None:
            self._held = data
            return
        held, self._held = self._held, None
        await self.put((held or b"") + data)
        if faults.half_and_close:
            raise ConnectionResetError("closed in the middle of an answer, as asked for")

    async def put(self, data: bytes) -> None:
        """Send bytes as they are, dripping if that is asked for."""
        pause_s = self._faults.drip_s
        pieces = (data[place : place + 1] for place in range(len(data))) if pause_s else (data,)
        for piece in pieces:
            self._writer.write(piece)
            await self._writer.drain()
            if pause_s:
                await asyncio.sleep(pause_s)
