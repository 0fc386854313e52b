"""ISO on TCP: TPKT's four bytes, a COTP header, and in a data TPDU a piece of an S7 message."""

import asyncio
from dataclasses import dataclass

from simulators.line import FrameError

CONNECT, CONFIRM, DISCONNECT, DATA = 0xE0, 0xD0, 0x80, 0xF0
_MAX_FRAME = 1100
_CONFIRMED = bytes.fromhex("11d00001000900c0010ac1020100c202")


@dataclass(frozen=True, slots=True)
class Tpdu:
    """One COTP unit: its kind, what its header says besides, and what it carries."""

    kind: int
    header: bytes
    carried: bytes

    @property
    def last(self) -> bool:
        """Whether a data TPDU ends its message."""
        return bool(self.header and self.header[0] & 0x80)


async def read_tpdu(reader: asyncio.StreamReader) -> Tpdu:
    """The next unit. Raises `FrameError` for what can be none, `IncompleteReadError` at the end."""
    tpkt = await reader.readexactly(4)
    length = int.from_bytes(tpkt[2:], "big")
    if tpkt[:2] != b"\3\0" or not 7 <= length <= _MAX_FRAME:
        raise FrameError(f"TPKT {tpkt.hex()}")
    body = await reader.readexactly(length - 4)
    end = 1 + body[0]
    if not 3 <= end <= len(body):
        raise FrameError(f"COTP header of {end} bytes in {len(body)}")
    return Tpdu(body[1], body[2:end], body[end:])


def frame(body: bytes, *, extra_length: int = 0) -> bytes:
    """A COTP unit as it goes on the wire; `extra_length` makes TPKT lie about the length."""
    return b"\3\0" + ((4 + len(body) + extra_length) & 0xFFFF).to_bytes(2, "big") + body


def confirm(request: Tpdu) -> bytes:
    """The answer that opens a connection: the caller's reference, ours, and the TSAPs."""
    source = request.header[2:4]
    called = request.header[-2:]
    return frame(_CONFIRMED[:2] + source + _CONFIRMED[4:] + called)


def refuse(request: Tpdu) -> bytes:
    """The answer that there is nobody at that rack and slot."""
    return frame(bytes([6, DISCONNECT]) + request.header[2:4] + b"\0\0\3")


def data_frames(message: bytes, *, piece: int = 0, extra_length: int = 0) -> bytes:
    """A message in data TPDUs: one, or as many as pieces of that size make."""
    size = piece or len(message)
    pieces = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(
        frame(bytes([2, DATA, 0x80 if number == len(pieces) else 0]) + part, extra_length=extra_length)
        for number, part in enumerate(pieces, 1)
    )
