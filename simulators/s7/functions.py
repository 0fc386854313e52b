"""S7 questions and answers as bytes: what a client may ask, and how it is told. Pure."""

import struct
from dataclasses import dataclass

from simulators.line import FrameError
from simulators.s7.layout import Area

READ, WRITE, SETUP = 4, 5, 0xF0
OK, RANGE, TYPE, MISSING = 0xFF, 0x05, 0x06, 0x0A
NOT_ALLOWED, BAD_SIZE, BAD_FUNCTION = 0x8104, 0x8500, 0x8104
MOST_ITEMS = 20
MOST_MESSAGE = 1024
_BIT, _WIDTHS = 1, {2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 4, 8: 4}


class S7Error(Exception):
    """A refusal in the making: of one item, or with 16 bits of the whole question."""

    def __init__(self, code: int) -> None:
        super().__init__(f"S7 error 0x{code:X}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Item:
    """One range of a question: bytes, or timers and counters by their number; for a bit the `bit` of byte `start`."""

    area: Area
    db: int
    start: int
    count: int
    bit: int | None = None

    @property
    def numbered(self) -> bool:
        """Whether it counts elements of two bytes."""
        return self.area in (Area.TIMERS, Area.COUNTERS)

    @property
    def places(self) -> range:
        """Its bytes."""
        width = 2 if self.numbered else 1
        return range(width * self.start, width * (self.start + self.count))


@dataclass(frozen=True, slots=True)
class Question:
    """A job. `items` holds a code in place of an item that no CPU understands; `data` is to be written."""

    reference: int
    function: int
    items: tuple[Item | int, ...] = ()
    data: tuple[bytes, ...] = ()
    pdu: int = 0


def parse(message: bytes) -> Question:
    """Understand a question. Raises `FrameError`, or `S7Error` for a function that is not served."""
    if len(message) < 12 or message[:2] != b"\x32\x01":
        raise FrameError
    reference, parameters_size, data_size = struct.unpack_from(">HHH", message, 4)
    parameters, data = message[10 : 10 + parameters_size], message[10 + parameters_size :]
    if len(parameters) != parameters_size or len(data) != data_size or len(parameters) < 2:
        raise FrameError
    function, count = parameters[:2]
    if function == SETUP and len(parameters) == 8:
        return Question(reference, function, pdu=int.from_bytes(parameters[6:8], "big"))
    if function not in (READ, WRITE):
        raise S7Error(BAD_FUNCTION)
    if len(parameters) != 2 + 12 * count or not count:
        raise FrameError
    items = tuple(_item(parameters[2 + 12 * number : 14 + 12 * number]) for number in range(count))
    return Question(reference, function, items, _written(data, count) if function == WRITE else ())


def setup_answer(reference: int, pdu: int) -> bytes:
    """The answer to the negotiation."""
    return answer(reference, struct.pack(">BBHHH", SETUP, 0, 1, 1, pdu), b"")


def read_answer(reference: int, found: list[bytes | int], areas: list[Item | int]) -> bytes:
    """The answer to a read: for each item its bytes, or a code."""
    data = b""
    for each, item in zip(found, areas, strict=True):
        data += bytes(len(data) % 2)
        if isinstance(each, int):
            data += bytes([each, 0, 0, 0])
        elif isinstance(item, Item) and item.numbered:
            data += struct.pack(">BBH", OK, 9, len(each)) + each
        elif isinstance(item, Item) and item.bit is not None:
            data += struct.pack(">BBH", OK, 3, 1) + each
        else:
            data += struct.pack(">BBH", OK, 4, 8 * len(each)) + each
    return answer(reference, bytes([READ, len(found)]), data)


def write_answer(reference: int, codes: list[int]) -> bytes:
    """The answer to a write: a code for each item."""
    return answer(reference, bytes([WRITE, len(codes)]), bytes(codes))


def error_answer(reference: int, error: int) -> bytes:
    """The answer that refuses a whole question."""
    return answer(reference, b"", b"", error)


def answer(reference: int, parameters: bytes, data: bytes, error: int = 0) -> bytes:
    """Any answer."""
    header = struct.pack(">BBHHHHH", 0x32, 3, 0, reference, len(parameters), len(data), error)
    return header + parameters + data


def _item(spec: bytes) -> Item | int:
    head, size, syntax, element, count, db, place = struct.unpack(">BBBBHHI", spec)
    if (head, size, syntax) != (0x12, 10, 0x10) or place >> 24 not in list(Area):
        return TYPE
    area, address = Area(place >> 24), place & 0xFFFFFF
    if area in (Area.TIMERS, Area.COUNTERS):
        return Item(area, 0, address, count) if element == area else TYPE
    if element == _BIT:
        return Item(area, db, address // 8, 1, address % 8) if count == 1 else TYPE
    width = _WIDTHS.get(element)
    return Item(area, db, address // 8, count * width) if width and count and address % 8 == 0 else TYPE


def _written(data: bytes, count: int) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 0
    for _ in range(count):
        if at + 4 > len(data):
            raise FrameError
        _, element, length = struct.unpack_from(">BBH", data, at)
        size = length // 8 if element in (4, 5) else length
        found.append(data[at + 4 : at + 4 + size])
        if len(found[-1]) != size:
            raise FrameError
        at += 4 + size + size % 2
    return tuple(found)
