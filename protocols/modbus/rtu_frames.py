"""Serial frames, without any I/O: unit id, protocol data unit (PDU), and a checksum of two bytes, low one first."""

from protocols.errors import BadAnswer
from protocols.modbus.frames import EXCEPTION_BIT
from protocols.modbus.question import EXCEPTION_SIZE, Question

_POLYNOMIAL = 0xA001
_CHECKSUM_SIZE = 2


class BadChecksum(BadAnswer):
    """A frame of the right size came, and was damaged on the way."""


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (_POLYNOMIAL if byte & 1 else 0)
    return byte


_REMAINDERS = tuple(map(_remainder, range(256)))


def checksum(frame: bytes) -> int:
    """CRC-16/MODBUS; 0 for a frame that ends with its own."""
    crc = 0xFFFF
    for byte in frame:
        crc = crc >> 8 ^ _REMAINDERS[(crc ^ byte) & 0xFF]
    return crc


def rtu_frame(unit: int, pdu: bytes) -> bytes:
    """A PDU as it goes on the wire."""
    frame = unit.to_bytes(1, "big") + pdu
    return frame + checksum(frame).to_bytes(_CHECKSUM_SIZE, "little")


def take_answer(buffer: bytearray, question: Question) -> bytes | None:
    """Take the frame that answers `question` off the front of `buffer`: its PDU, or None while it is not whole.

    The unit id is the caller's to check. Raises `BadAnswer` as soon as the frame can not be the answer, and
    `BadChecksum` for one that may be, but is damaged.
    """
    if len(buffer) < 2:
        return None
    size = EXCEPTION_SIZE
    if buffer[1] != question.function | EXCEPTION_BIT:
        size = question.answer_size
        question.check_beginning(bytes(buffer[1 : 1 + size]))
    end = 1 + size + _CHECKSUM_SIZE
    if len(buffer) < end:
        return None
    frame = bytes(buffer[:end])
    if checksum(frame):
        raise BadChecksum("sent a frame whose checksum is wrong: noise on the line, or two that talk at once")
    del buffer[:end]
    return frame[1:-_CHECKSUM_SIZE]
