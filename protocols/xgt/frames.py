"""XGT frames, without any I/O: an application header of 20 bytes and an instruction. All of it is low byte first."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from protocols.errors import BadAnswer

MAX_ITEMS = 16
"""The variables that one individual request may name."""

_COMPANY = b"LSIS-XGT"
_HEADER = struct.Struct("<8s2xHBBHHB")  # and the sum of these bytes
_HEADER_SIZE = _HEADER.size + 1
_FROM_CLIENT, _FROM_PLC = 0x33, 0x11
_INSTRUCTION = struct.Struct("<HHHH")
_WORD = struct.Struct("<H")
_LEAST_LENGTH, _MOST_LENGTH = 9, 12 + 1400
_SHORT_NAK = 9


class Command(IntEnum):
    """What is asked; the answer's command is the next number."""

    READ = 0x54
    WRITE = 0x58


class Kind(IntEnum):
    """What the variables of an instruction are; `BLOCK` is bytes in a row, from one of them on."""

    BIT = 0x00
    BYTE = 0x01
    WORD = 0x02
    BLOCK = 0x14


@dataclass(frozen=True, slots=True)
class Question:
    """An instruction to send, and what a right answer to it must be.

    `count` variables are confirmed; of a read each has as many bytes of data as `sizes` says.
    """

    command: Command
    kind: Kind
    body: bytes
    count: int
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """One whole answer: to which question, what the PLC says of itself, its instruction. `summed_up`: the header's
    sum is right, or was left out."""

    invoke: int
    plc_info: int
    cpu: int
    body: bytes
    summed_up: bool = True


@dataclass(frozen=True, slots=True)
class Nak:
    """The PLC said no, with this code."""

    code: int


def read_block(name: str, size: int) -> Question:
    """The question for `size` bytes from the byte `name` on."""
    body = _instruction(Command.READ, Kind.BLOCK, [name]) + _WORD.pack(size)
    return Question(Command.READ, Kind.BLOCK, body, 1, (size,))


def read_items(kind: Kind, names: Sequence[str]) -> Question:
    """The question for up to `MAX_ITEMS` words, or bits, wherever they are."""
    size = 2 if kind is Kind.WORD else 1
    return Question(Command.READ, kind, _instruction(Command.READ, kind, names), len(names), (size,) * len(names))


def write_item(kind: Kind, name: str, data: bytes) -> Question:
    """The order to set one word or byte."""
    body = _instruction(Command.WRITE, kind, [name]) + _WORD.pack(len(data)) + data
    return Question(Command.WRITE, kind, body, 1)


def write_block(name: str, data: bytes) -> Question:
    """The order to set bytes in a row, from the byte `name` on."""
    body = _instruction(Command.WRITE, Kind.BLOCK, [name]) + _WORD.pack(len(data)) + data
    return Question(Command.WRITE, Kind.BLOCK, body, 1)


def request_frame(cpu: int, invoke: int, body: bytes) -> bytes:
    """A question as it goes on the wire."""
    header = _HEADER.pack(_COMPANY, 0, cpu, _FROM_CLIENT, invoke, len(body), 0)
    return header + bytes((sum(header) & 0xFF,)) + body


def take_frames(buffer: bytearray) -> Iterator[Frame]:
    """Take the whole frames off the front of `buffer` and leave the beginning of the next one.

    Raises `BadAnswer` as soon as a header is none, so that a length that lies is not waited for.
    """
    while buffer:
        if not buffer.startswith(_COMPANY[: len(buffer)]):
            raise BadAnswer("sent what does not begin with LSIS-XGT: this is no XGT module, or not its port")
        if len(buffer) < _HEADER_SIZE:
            return
        _, plc_info, cpu, source, invoke, length, _ = _HEADER.unpack_from(buffer)
        if source != _FROM_PLC:
            raise BadAnswer(f"sent a frame from source {source:#04x} where PLCs have {_FROM_PLC:#04x}")
        if not _LEAST_LENGTH <= length <= _MOST_LENGTH:
            raise BadAnswer(f"sent a frame with length {length}; XGT has {_LEAST_LENGTH} to {_MOST_LENGTH} there")
        end = _HEADER_SIZE + length
        if len(buffer) < end:
            return
        summed_up = buffer[_HEADER.size] in (0, sum(buffer[: _HEADER.size]) & 0xFF)
        body = bytes(buffer[_HEADER_SIZE:end])
        del buffer[:end]
        yield Frame(invoke, plc_info, cpu, body, summed_up)


def open_answer(body: bytes, question: Question) -> bytes | Nak:
    """The data of a right answer, variable after variable, or the PLC's no. Raises `BadAnswer` for all else.

    The third word is not looked at: PLCs put changing numbers there.
    """
    command, kind, _, status = _INSTRUCTION.unpack_from(body)
    if command != question.command + 1:
        raise BadAnswer(f"answered command {question.command:#06x} with {command:#06x}")
    if status:
        return Nak(body[8] if len(body) == _SHORT_NAK else _WORD.unpack_from(body, 8)[0])
    if kind != question.kind:
        raise BadAnswer(f"answered a question of data type {question.kind:#06x} with {kind:#06x}")
    if len(body) != 10 + sum(size + 2 for size in question.sizes):
        expected = 10 + sum(size + 2 for size in question.sizes)
        raise BadAnswer(f"sent an instruction of {len(body)} bytes where {expected} were to come")
    (count,) = _WORD.unpack_from(body, 8)
    if count != question.count:
        raise BadAnswer(f"sent {count} blocks where {question.count} were asked for")
    return b"".join(_data(body, question.sizes))


def _data(body: bytes, sizes: tuple[int, ...]) -> Iterator[bytes]:
    at = 10
    for size in sizes:
        (announced,) = _WORD.unpack_from(body, at)
        if announced != size:
            raise BadAnswer(f"announced {announced} bytes of data where {size} were asked for")
        yield body[at + 2 : at + 2 + size]
        at += 2 + size


def _instruction(command: Command, kind: Kind, names: Sequence[str]) -> bytes:
    variables = (_WORD.pack(len(name)) + name.encode("ascii") for name in names)
    return _INSTRUCTION.pack(command, kind, 0, len(names)) + b"".join(variables)
