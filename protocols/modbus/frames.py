"""Protocol data units (PDU), and the header of seven bytes (MBAP) that they have on TCP. Without any I/O."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.base import Register
from protocols.errors import BadAnswer

FUNCTIONS = {Register.COIL: 1, Register.DISCRETE: 2, Register.HOLDING: 3, Register.INPUT: 4}
"""The read function of each table."""

EXCEPTION_BIT = 0x80
MAX_FRAME = 260
MOST_WRITTEN_REGISTERS = 123
MOST_WRITTEN_BITS = 1968

_HEADER = struct.Struct(">HHHB")
HEADER_SIZE = _HEADER.size
_READ = struct.Struct(">BHH")
_WRITE_MANY = struct.Struct(">BHHB")
_WRITE_COIL, _WRITE_REGISTER, _WRITE_COILS, _WRITE_REGISTERS = 5, 6, 15, 16
_COIL_ON, _COIL_OFF = b"\xff\0", b"\0\0"
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


def write_registers_pdu(offset: int, data: bytes) -> bytes:
    """The order to write registers from the zero-based `offset`: function 6 for one, 16 for several."""
    count = len(data) // 2
    if count == 1:
        return _WRITE_REGISTER.to_bytes(1, "big") + offset.to_bytes(2, "big") + data
    return _WRITE_MANY.pack(_WRITE_REGISTERS, offset, count, len(data)) + data


def write_coils_pdu(offset: int, bits: Sequence[bool]) -> bytes:
    """The order to write coils from the zero-based `offset`: function 5 for one, 15 for several."""
    if len(bits) == 1:
        return _WRITE_COIL.to_bytes(1, "big") + offset.to_bytes(2, "big") + (_COIL_ON if bits[0] else _COIL_OFF)
    size = -(-len(bits) // 8)
    packed = sum(bit << place for place, bit in enumerate(bits))
    return _WRITE_MANY.pack(_WRITE_COILS, offset, len(bits), size) + packed.to_bytes(size, "little")


def request_frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """A question as it goes on the wire."""
    return header(transaction, unit, len(pdu)) + pdu


def header(transaction: int, unit: int, pdu_size: int) -> bytes:
    """What stands before a PDU of so many bytes, in questions and answers alike."""
    return _HEADER.pack(transaction, 0, pdu_size + 1, unit)


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames off the front of `buffer` and leave the beginning of the next one.

    Raises `BadAnswer` as soon as what has come of a header is none, so that a length that lies is not waited for.
    """
    while buffer:
        _check_begun(buffer)
        if len(buffer) < _HEADER.size:
            return
        transaction, _, length, unit = _HEADER.unpack_from(buffer)
        end = length + 6
        if len(buffer) < end:
            return
        pdu = bytes(buffer[_HEADER.size : end])
        del buffer[:end]
        yield Frame(transaction, unit, pdu)


def _check_begun(buffer: bytearray) -> None:
    protocol, length = int.from_bytes(buffer[2:4]), int.from_bytes(buffer[4:6])
    if protocol != 0:
        raise BadAnswer(f"sent protocol id {protocol} where Modbus has 0: this is no Modbus TCP device")
    if len(buffer) >= _HEADER.size - 1 and not _LEAST_LENGTH <= length <= _MOST_LENGTH:
        raise BadAnswer(f"sent a frame with length {length}; Modbus has {_LEAST_LENGTH} to {_MOST_LENGTH} there")
