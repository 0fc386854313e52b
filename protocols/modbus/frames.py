"""Modbus TCP frames, without any I/O: a header of seven bytes (MBAP) and a protocol data unit (PDU)."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from protocols.base import Register
from protocols.errors import BadAnswer

FUNCTIONS = {Register.COIL: 1, Register.DISCRETE: 2, Register.HOLDING: 3, Register.INPUT: 4}
"""The read function of each table."""

EXCEPTION_BIT = 0x80
MAX_FRAME = 260

_HEADER = struct.Struct(">HHHB")
_READ = struct.Struct(">BHH")
_LEAST_LENGTH, _MOST_LENGTH = 3, MAX_FRAME - 6  # of unit id and PDU, which has two bytes at least


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole answer: whose, from which unit, and its PDU."""

    transaction: int
    unit: int
    pdu: bytes


def read_pdu(function: int, offset: int, size: int) -> bytes:
    """The question for `size` registers or bits from the zero-based `offset`."""
    return _READ.pack(function, offset, size)


def request_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A question as it goes on the wire."""
    return _HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames off the front of `buffer` and leave the beginning of the next one.

    Raises `BadAnswer` as soon as a header is none, so that a length that lies is not waited for.
    """
    while len(buffer) >= _HEADER.size:
        transaction, protocol, length, unit = _HEADER.unpack_from(buffer)
        if protocol != 0:
            raise BadAnswer(f"sent protocol id {protocol} where Modbus has 0: this is no Modbus TCP device")
        if not _LEAST_LENGTH <= length <= _MOST_LENGTH:
            raise BadAnswer(f"sent a frame with length {length}; Modbus has {_LEAST_LENGTH} to {_MOST_LENGTH} there")
        end = length + 6
        if len(buffer) < end:
            return
        pdu = bytes(buffer[_HEADER.size : end])
        del buffer[:end]
        yield Frame(transaction, unit, pdu)


def read_payload(pdu: bytes, function: int, byte_count: int) -> bytes:
    """The data of an answer to a read of `byte_count` bytes. Raises `BadAnswer` if it answers anything else."""
    if pdu[0] != function:
        raise BadAnswer(f"answered function {function} with function {pdu[0]}")
    if pdu[1] != byte_count or len(pdu) != byte_count + 2:
        raise BadAnswer(f"sent {len(pdu) - 2} bytes of data and announced {pdu[1]} where {byte_count} were asked for")
    return pdu[2:]


def exception_code(pdu: bytes, function: int) -> int | None:
    """The code of an exception answer to `function`, or None when it is none."""
    return pdu[1] if len(pdu) == 2 and pdu[0] == function | EXCEPTION_BIT else None
