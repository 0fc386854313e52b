"""Instructions as bytes: what a client may ask, and how it is told. Pure."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from simulators.xgt.families import Family
from simulators.xgt.naks import Nak, NakCode
from simulators.xgt.names import SIZES, Place, place_of

READ, WRITE, STATUS = 0x54, 0x58, 0xB0
BLOCK = 0x14
_TYPES = {0x00: "X", 0x01: "B", 0x02: "W", 0x03: "D", 0x04: "L"}


class NotUnderstood(Exception):
    """A command that the family meets with silence."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for. `size` is the bytes of a block, 0 where places are named one by one; `data` is what it
    wants written, place by place, None for a read."""

    command: int
    kind: int
    places: tuple[Place, ...] = ()
    size: int = 0
    data: tuple[bytes, ...] | None = None

    def bytes_of(self, place: Place) -> range:
        """The bytes that are touched there; none for a contact."""
        if place.contact is not None:
            return range(0)
        return range(place.byte, place.byte + (self.size or SIZES[place.letter]))


def parse(instruction: bytes, family: Family) -> Request:
    """Understand a request. Raises `Nak`, or `NotUnderstood`."""
    command, kind = struct.unpack_from("<HH", instruction.ljust(4, b"\0"))
    if command == STATUS:
        if not family.knows_status:
            raise NotUnderstood
        return Request(command, kind)
    if command not in (READ, WRITE):
        raise Nak(NakCode.COMMAND)
    rest = _Bytes(instruction[4:])
    rest.word()
    count = rest.word()
    if kind == BLOCK:
        return _block(command, count, rest, family)
    if kind not in _TYPES:
        raise Nak(NakCode.DATA_TYPE)
    if not 1 <= count <= 16:
        raise Nak(NakCode.TOO_MANY_BLOCKS)
    places = tuple(_place(rest, _TYPES[kind], family) for _ in range(count))
    data = tuple(rest.sized(SIZES[_TYPES[kind]]) for _ in places) if command == WRITE else None
    rest.end()
    return Request(command, kind, places, data=data)


def read_answer(request: Request, data: Sequence[bytes], reserved: int) -> bytes:
    """The instruction that answers a read; nobody knows what the `reserved` word is for."""
    blocks = b"".join(struct.pack("<H", len(block)) + block for block in data)
    return struct.pack("<HHHHH", request.command + 1, request.kind, reserved, 0, len(data)) + blocks


def write_answer(request: Request, reserved: int) -> bytes:
    """The instruction that confirms a write."""
    return struct.pack("<HHHHH", request.command + 1, request.kind, reserved, 0, len(request.places))


def status_answer(plc_info: int) -> bytes:
    """The instruction that tells the PLC's state."""
    state = 1 if plc_info & 0x0100 else 0
    figures = struct.pack("<IHHIIIHH", 0x00020000, plc_info & 0x3F, 0, state, 0, 0, 0x0100, 0)
    return struct.pack("<HHHHHH", STATUS + 1, 0, 0, 0, 0, len(figures)) + figures


def nak_answer(instruction: bytes, code: int, *, short: bool) -> bytes:
    """The instruction that says no."""
    command, kind = struct.unpack_from("<HH", instruction.ljust(4, b"\0"))
    head = struct.pack("<HHHH", (command + 1) & 0xFFFF, kind, 0, 0xFFFF)
    return head + code.to_bytes(2, "little")[: 1 if short else 2]


def _block(command: int, count: int, rest: "_Bytes", family: Family) -> Request:
    if count != 1:
        raise Nak(NakCode.TOO_MANY_BLOCKS)
    place = _place(rest, "B", family)
    size = rest.word()
    if not 1 <= size <= family.max_block:
        raise Nak(NakCode.BLOCK_TOO_LARGE)
    data = (rest.take(size),) if command == WRITE else None
    rest.end()
    return Request(command, BLOCK, (place,), size, data)


def _place(rest: "_Bytes", letter: str, family: Family) -> Place:
    size = rest.word()
    if not 4 <= size <= 16:
        raise Nak(NakCode.NAME_LENGTH)
    place = place_of(rest.take(size), family)
    if place.letter != letter:
        raise Nak(NakCode.TYPE_MISMATCH)
    return place


class _Bytes:
    """Taken from the front; what is missing or left over makes the length wrong."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def take(self, size: int) -> bytes:
        if size > len(self._data):
            raise Nak(NakCode.LENGTH)
        taken, self._data = self._data[:size], self._data[size:]
        return taken

    def word(self) -> int:
        return int.from_bytes(self.take(2), "little")

    def sized(self, size: int) -> bytes:
        if self.word() != size:
            raise Nak(NakCode.LENGTH)
        return self.take(size)

    def end(self) -> None:
        if self._data:
            raise Nak(NakCode.LENGTH)
