"""The frame: twenty bytes of application header, then the instruction. Words are low byte first."""

import asyncio
from dataclasses import dataclass

from simulators.line import FrameError
from simulators.xgt.naks import Nak, NakCode

_HEADER = 20
_MAX_INSTRUCTION = 2048
_COMPANIES = (b"LSIS-XGT\0\0", b"LGIS-GLOFA")


@dataclass(frozen=True, slots=True)
class Question:
    """One message of a client."""

    company: bytes
    invoke: int
    sum_given: int
    sum_right: int
    instruction: bytes

    def check_sum(self, *, strict: bool) -> None:
        """Raises `Nak` 0x0077. Left out, or even wrong, it is let pass by every PLC that was seen, unless `strict`."""
        if strict and self.sum_given != self.sum_right:
            raise Nak(NakCode.CHECKSUM)


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of a PLC."""

    company: bytes
    plc_info: int
    cpu: int
    invoke: int
    instruction: bytes

    def encode(self, *, extra_length: int = 0, with_sum: bool = True) -> bytes:
        """As it goes on the wire; `extra_length` makes the header lie about the length."""
        length = (len(self.instruction) + extra_length) & 0xFFFF
        head = self.company + _word(self.plc_info) + bytes((self.cpu, 0x11)) + _word(self.invoke) + _word(length)
        head += b"\x02"  # the module sits in slot 2, whatever the client thinks
        return head + bytes((sum(head) % 256 if with_sum else 0,)) + self.instruction


async def read_question(reader: asyncio.StreamReader) -> Question:
    """The next message. Raises `FrameError` on a header that none can have, `IncompleteReadError` at the end."""
    head = await reader.readexactly(_HEADER)
    length = int.from_bytes(head[16:18], "little")
    if head[:8] != _COMPANIES[0][:8] and head[:10] != _COMPANIES[1]:
        raise FrameError(f"company {head[:10]!r}")
    if head[13] != 0x33 or not 2 <= length <= _MAX_INSTRUCTION:
        raise FrameError(f"source {head[13]}, length {length}")
    instruction = await reader.readexactly(length)
    return Question(head[:10], int.from_bytes(head[14:16], "little"), head[19], sum(head[:19]) % 256, instruction)


def _word(number: int) -> bytes:
    return number.to_bytes(2, "little")
