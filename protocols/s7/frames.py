"""What goes over the wire to an S7 CPU, without any I/O: TPKT (RFC 1006), COTP class 0 (ISO 8073), S7 read items.

S7's own header, the negotiation and writes are python-snap7's.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.errors import BadAnswer
from protocols.s7.addresses import NUMBERED, Area, range_name

HEADERS = 7
"""Bytes of TPKT and COTP before an S7 message."""

CONNECT_CONFIRM, DISCONNECT_REQUEST, DATA = 0xD0, 0x80, 0xF0
"""COTP's kinds of TPDU that a CPU may send."""

READ, WRITE, SETUP = 0x04, 0x05, 0xF0
"""S7 functions."""

OK = 0xFF
"""The return code of an item that was granted."""

_TPKT = struct.Struct(">BBH")
_LAST_DATA = b"\x02\xf0\x80"
_END_OF_MESSAGE = 0x80
_CONNECT_REQUEST = struct.Struct(">BBHHB")
_PG = 0x01
_TPDU_1024 = 0x0A
_S7_HEADER = struct.Struct(">BBHHHH")
_REFERENCE = struct.Struct(">H")
_ITEM = struct.Struct(">BBBBHHI")
_ITEM_HEADER = struct.Struct(">BBH")
_BYTES = 0x02  # an item's element as it is asked for; timers and counters have their area's code there
_IN_BITS = (0x03, 0x04, 0x05)  # an answer's element sizes whose length counts bits; all others count bytes
_ANSWERS = (2, 3)  # Ack, Ack-Data


@dataclass(frozen=True, slots=True)
class Item:
    """A range to be read at once: `size` bytes from byte `start`, or as many timers or counters from that number."""

    area: Area
    db: int
    start: int
    size: int

    @property
    def byte_count(self) -> int:
        """Of its data in an answer."""
        return 2 * self.size if self.area in NUMBERED else self.size

    @property
    def name(self) -> str:
        """For messages: ``DB1.DBB0-461``."""
        return range_name(self.area, self.db, self.start, self.size)


def connect_request(rack: int, slot: int) -> bytes:
    """The COTP connection request to the CPU in a rack and slot, as a programming device makes it."""
    parameters = bytes([0xC0, 1, _TPDU_1024, 0xC1, 2, _PG, 0, 0xC2, 2, _PG, rack << 5 | slot])
    tpdu = _CONNECT_REQUEST.pack(6 + len(parameters), 0xE0, 0, 1, 0) + parameters
    return _TPKT.pack(3, 0, _TPKT.size + len(tpdu)) + tpdu


def data_frame(message: bytes) -> bytes:
    """An S7 message as it goes on the wire."""
    return _TPKT.pack(3, 0, HEADERS + len(message)) + _LAST_DATA + message


def take_tpdus(buffer: bytearray, most: int) -> Iterator[bytes]:
    """Take the whole TPDUs off the front of `buffer` and leave the beginning of the next one.

    Raises `BadAnswer` as soon as a header is none or promises over `most` bytes, so that a lie is not waited for.
    """
    while buffer:
        if buffer[0] != 3:
            raise BadAnswer(f"sent 0x{buffer[0]:02X} where ISO on TCP begins with 3: this is no S7 CPU")
        if len(buffer) < _TPKT.size:
            return
        _, reserved, length = _TPKT.unpack_from(buffer)
        if reserved or not HEADERS <= length <= most:
            raise BadAnswer(f"sent a frame with length {length}; {HEADERS} to {most} were agreed on")
        if len(buffer) < length:
            return
        tpdu = bytes(buffer[_TPKT.size : length])
        del buffer[:length]
        if tpdu[0] + 1 > len(tpdu):
            raise BadAnswer(f"sent a TPDU of {len(tpdu)} bytes with a header of {tpdu[0] + 1}")
        yield tpdu


def take_data(tpdu: bytes) -> tuple[bytes, bool]:
    """The part of an S7 message that a TPDU carries, and whether it is the last. Raises `BadAnswer` for any other."""
    if tpdu[0] != 2 or tpdu[1] != DATA or tpdu[2] & ~_END_OF_MESSAGE:
        raise BadAnswer(f"sent a TPDU of kind 0x{tpdu[1]:02X} where data were expected")
    return tpdu[3:], bool(tpdu[2] & _END_OF_MESSAGE)


def reference(message: bytes) -> int:
    """The number by which a message and its answer know each other."""
    (number,) = _REFERENCE.unpack_from(message, 4)
    return int(number)


def check_answer(message: bytes) -> None:
    """Raises `BadAnswer` for what is no S7 answer at all."""
    if len(message) < 12 or message[0] != 0x32 or message[1] not in _ANSWERS:
        raise BadAnswer(f"sent {len(message)} bytes that are no S7 answer")


def read_parameters(items: Sequence[Item]) -> bytes:
    """The question for these items, as it follows the header."""
    return bytes([READ, len(items)]) + b"".join(_asked(item) for item in items)


def read_message(number: int, parameters: bytes) -> bytes:
    """A question with its header."""
    return _S7_HEADER.pack(0x32, 1, 0, number, len(parameters), 0) + parameters


def read_items(parameters: bytes, data: bytes, items: Sequence[Item]) -> list[bytes | int]:
    """For each item its bytes, or the code that it was refused with. Raises `BadAnswer` if it answers anything else."""
    if parameters != bytes([READ, len(items)]):
        raise BadAnswer(f"answered another question than the one for {len(items)} items")
    answers: list[bytes | int] = []
    at = 0
    for position, item in enumerate(items):
        if at + _ITEM_HEADER.size > len(data):
            raise BadAnswer(f"answered {position} of {len(items)} items")
        code, element, length = _ITEM_HEADER.unpack_from(data, at)
        at += _ITEM_HEADER.size
        if code != OK:
            answers.append(code)
            continue
        size = length // 8 if element in _IN_BITS else length
        if size != item.byte_count or (element in _IN_BITS and length % 8):
            raise BadAnswer(f"announced {size} bytes for {item.name}, where {item.byte_count} were asked for")
        answers.append(data[at : at + size])
        at += size + (size % 2 if position < len(items) - 1 else 0)
    # The last item may be filled up to an even number of bytes, as the others are.
    if not at <= len(data) <= at + at % 2:
        raise BadAnswer(f"sent {len(data)} bytes of data and announced {at}")
    return answers


def _asked(item: Item) -> bytes:
    numbered = item.area in NUMBERED
    element, address = (int(item.area), item.start) if numbered else (_BYTES, 8 * item.start)
    return _ITEM.pack(0x12, 10, 0x10, element, item.size, item.db, item.area << 24 | address)
