"""What goes over the wire on TCP: seven bytes of header, then the function code and its data."""

import asyncio
import struct
from dataclasses import dataclass
from typing import Protocol

from simulators.line import FrameError

_HEADER = struct.Struct(">HHHB")
_MAX_PDU = 253


@dataclass(frozen=True, slots=True)
class Frame:
    """One message, either way. `transaction` is 0 where frames have none."""

    transaction: int
    unit: int
    pdu: bytes


class Framing(Protocol):
    """How messages become bytes and back."""

    forgiving: bool
    """Whether the line lives on after a `FrameError`."""

    absent_units_answer: bool
    """Whether somebody says so when a unit is not there."""

    async def read(self, reader: asyncio.StreamReader) -> Frame:
        """The next frame. Raises `FrameError` on what can be none, `IncompleteReadError` at the end."""
        ...

    def encode(self, frame: Frame, *, extra_length: int = 0, wrong_checksum: bool = False) -> bytes:
        """As it goes on the wire; with a length or a checksum that lies, where it has one."""
        ...


class TcpFraming:
    """Modbus TCP."""

    forgiving = False
    absent_units_answer = True

    async def read(self, reader: asyncio.StreamReader) -> Frame:
        """The next frame."""
        transaction, protocol, length, unit = _HEADER.unpack(await reader.readexactly(_HEADER.size))
        if protocol != 0 or not 2 <= length <= 1 + _MAX_PDU:
            raise FrameError(f"protocol id {protocol}, length {length}")
        return Frame(transaction, unit, await reader.readexactly(length - 1))

    def encode(self, frame: Frame, *, extra_length: int = 0, wrong_checksum: bool = False) -> bytes:
        """As it goes on the wire; TCP has its own checksum."""
        length = (1 + len(frame.pdu) + extra_length) & 0xFFFF
        return _HEADER.pack(frame.transaction, 0, length, frame.unit) + frame.pdu
