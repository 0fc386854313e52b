"""Modbus TCP's frame: seven bytes of header, then the function code and its data."""

import asyncio
import struct
from dataclasses import dataclass

_HEADER = struct.Struct(">HHHB")
_MAX_PDU = 253


class FrameError(Exception):
    """What came can not be the start of a Modbus TCP frame."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, either way."""

    transaction: int
    unit: int
    pdu: bytes

    def encode(self, *, extra_length: int = 0) -> bytes:
        """As it goes on the wire; `extra_length` makes the header lie about the length."""
        length = (1 + len(self.pdu) + extra_length) & 0xFFFF
        return _HEADER.pack(self.transaction, 0, length, self.unit) + self.pdu


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame. Raises `FrameError` on a header that none can have, `IncompleteReadError` at the end."""
    transaction, protocol, length, unit = _HEADER.unpack(await reader.readexactly(_HEADER.size))
    if protocol != 0 or not 2 <= length <= 1 + _MAX_PDU:
        raise FrameError(f"protocol id {protocol}, length {length}")
    return Frame(transaction, unit, await reader.readexactly(length - 1))
