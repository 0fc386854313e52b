"""How the floor reads: per protocol a connection of its own, questions made once, an answer taken for right.

What connects returns what reads: a device's words, in order, divided by ten.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable

Read = Callable[[], Awaitable[list[float]]]
_Question = tuple[bytes, int, struct.Struct]
"""What is sent, and of its answer the bytes before the data and the form of the data."""

_HOST = "127.0.0.1"
_REGISTERS, _S7_WORDS, _XGT_WORDS = 125, 231, 700
"""How many words one question may be for: as many as the collector's."""
_S7_CONNECT = bytes.fromhex("0300001611e00000000100c0010ac1020100c2020101")
_S7_SETUP = bytes.fromhex("0300001902f08032010000000100080000f0000001000101e0")


async def modbus(port: int, words: int) -> Read:
    """Holding registers from 40001 on."""
    questions = (
        (struct.pack(">HHHBBHH", number, 0, 6, 1, 3, first, size), 9, struct.Struct(f">{size}H"))
        for number, (first, size) in enumerate(runs(words, _REGISTERS), 1)
    )
    return _asking(*await asyncio.open_connection(_HOST, port), questions)


async def s7(port: int, words: int) -> Read:
    """DB1 from byte 0 on, with messages of 480 bytes."""
    reader, writer = await asyncio.open_connection(_HOST, port)
    for hello in (_S7_CONNECT, _S7_SETUP):
        writer.write(hello)
        _, size = struct.unpack(">HH", await reader.readexactly(4))
        await reader.readexactly(size - 4)
    head = bytes.fromhex("0300001f02f080320100000002000e00000401120a1002")
    questions = (
        (head + struct.pack(">HHI", 2 * size, 1, 0x84 << 24 | 16 * first), 25, struct.Struct(f">{size}H"))
        for first, size in runs(words, _S7_WORDS)
    )
    return _asking(reader, writer, questions)


async def xgt(port: int, words: int) -> Read:
    """The D device of an XGK from D0 on."""
    questions = (
        (_xgt_question(f"%DB{2 * first}".encode(), 2 * size), 32, struct.Struct(f"<{size}H"))
        for first, size in runs(words, _XGT_WORDS)
    )
    return _asking(*await asyncio.open_connection(_HOST, port), questions)


def _xgt_question(name: bytes, size: int) -> bytes:
    body = struct.pack("<HHHHH", 0x54, 0x14, 0, 1, len(name)) + name + struct.pack("<H", size)
    head = struct.pack("<8s2xHBBHHB", b"LSIS-XGT", 0, 0xA0, 0x33, 1, len(body), 0)
    return head + bytes([sum(head) & 0xFF]) + body


def runs(words: int, most: int) -> Iterable[tuple[int, int]]:
    """Where runs of at most so many words begin, and how long they are."""
    return ((first, min(most, words - first)) for first in range(0, words, most))


def _asking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, questions: Iterable[_Question]) -> Read:
    made = list(questions)

    async def read() -> list[float]:
        values: list[float] = []
        for question, head, form in made:
            writer.write(question)
            answer = await reader.readexactly(head + form.size)
            values += [raw / 10 for raw in form.unpack_from(answer, head)]
        return values

    return read
