"""The way back to one client, with everything that can go wrong on it."""

import asyncio
import random
import struct
from dataclasses import replace

from simulators.xgt.faults import Faults
from simulators.xgt.frames import Answer

_READ_ANSWER, _WRITE_ANSWER = 0x55, 0x59
_BLOCKS_AT = 10


class Line:
    """Sends answers under the faults of the moment."""

    def __init__(self, writer: asyncio.StreamWriter, faults: Faults, noise: random.Random) -> None:
        self._writer = writer
        self._faults = faults
        self._noise = noise
        self._held: bytes | None = None

    async def answer(self, answer: Answer) -> None:
        """Let one answer go, spoiled or not. Raises `ConnectionResetError` when a fault is to close."""
        faults = self._faults
        if faults.silent:
            return
        if faults.slow_s:
            await asyncio.sleep(faults.slow_s)
        data = self._spoiled(answer)
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

    def _spoiled(self, answer: Answer) -> bytes:
        faults = self._faults
        if faults.garbage:
            return self._noise.randbytes(self._noise.randint(1, 300))
        if faults.wrong_invoke:
            answer = replace(answer, invoke=(answer.invoke + 1) & 0xFFFF)
        if faults.wrong_company:
            answer = replace(answer, company=b"LGIS-GLOFA")
        instruction = answer.instruction
        if faults.wrong_command:
            other = _WRITE_ANSWER if instruction[0] == _READ_ANSWER else _READ_ANSWER
            instruction = bytes((other,)) + instruction[1:]
        if faults.wrong_count and _is_good(instruction):
            instruction = instruction[:8] + struct.pack("<H", instruction[8] + 1) + instruction[_BLOCKS_AT:]
        if faults.fewer and _is_good(instruction):
            instruction = _with_fewer(instruction)
        answer = replace(answer, instruction=instruction)
        return answer.encode(extra_length=faults.wrong_length, with_sum=not faults.no_checksum)


def _is_good(instruction: bytes) -> bool:
    return instruction[6:8] == b"\0\0"


def _with_fewer(instruction: bytes) -> bytes:
    """The last block a word shorter, or a byte where it has but one, and its size with it."""
    if instruction[0] != _READ_ANSWER:
        return instruction
    at = _BLOCKS_AT
    while at + 2 + (size := int.from_bytes(instruction[at : at + 2], "little")) < len(instruction):
        at += 2 + size
    missing = min(size, 2)
    return instruction[:at] + struct.pack("<H", size - missing) + instruction[at + 2 : len(instruction) - missing]
