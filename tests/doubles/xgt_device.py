"""An XGT PLC for tests, from the manuals' own words and from nothing of ours."""

import re
from collections import defaultdict
from collections.abc import Sequence

from tests.doubles.scripted_device import Script, ScriptedDevice, Step

HEADER = 20
BIT, WORD, BLOCK = 0x00, 0x02, 0x14
_NAME = re.compile(rb"%([A-Z])([XBW])(\d+)")


class XgtDevice(ScriptedDevice):
    """Answers reads of bits, words and blocks, and writes of words, bytes and blocks.

    `memory` by device letter, then by byte; unset is 0. `contacts` by name, as ``%TX5``. `missing` words are
    refused with 0x0004, blocks over `most_bytes` with 0x0005; `refusal` is a code for every question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.memory: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.contacts: set[str] = set()
        self.missing: set[tuple[str, int]] = set()
        self.most_bytes = 1400
        self.refusal: int | None = None
        self.plc_info = 0x0104
        self.cpu = 0xA0

    def put(self, device: str, number: int, words: Sequence[int]) -> None:
        """Set words, as the PLC's own program sees them."""
        for place, word in enumerate(words, number):
            self.memory[device][2 * place] = word & 0xFF
            self.memory[device][2 * place + 1] = word >> 8

    def question_size(self, received: bytes) -> int:
        return HEADER + int.from_bytes(received[16:18], "little") if len(received) >= HEADER else 0

    def answer(self, question: bytes) -> bytes:
        return framed(question[14:16], self._instruction(question[HEADER:]), self.plc_info, self.cpu)

    def _instruction(self, asked: bytes) -> bytes:
        command, kind, count = (int.from_bytes(asked[at : at + 2], "little") for at in (0, 2, 6))
        head = bytes([command + 1, 0, kind, 0, 0, 2])
        names, rest = self._names(asked[8:], count)
        code = self._refused(kind, names, rest)
        if code:
            return head + b"\xff\xff" + code.to_bytes(2, "little")
        head += b"\0\0" + count.to_bytes(2, "little")
        if command == 0x58:
            self._write(names, rest)
            return head
        return head + b"".join(len(data).to_bytes(2, "little") + data for data in self._data(kind, names, rest))

    def _names(self, rest: bytes, count: int) -> tuple[list[bytes], bytes]:
        names = []
        for _ in range(count):
            size = int.from_bytes(rest[:2], "little")
            names.append(rest[2 : 2 + size])
            rest = rest[2 + size :]
        return names, rest

    def _refused(self, kind: int, names: list[bytes], rest: bytes) -> int:
        if self.refusal is not None:
            return self.refusal
        size = int.from_bytes(rest[:2], "little") if kind == BLOCK else 2
        if size > self.most_bytes:
            return 0x05
        touched = {(device, byte // 2) for device, at, _ in map(_place, names) for byte in range(at, at + size)}
        return 0x04 if kind != BIT and touched & self.missing else 0

    def _data(self, kind: int, names: list[bytes], rest: bytes) -> list[bytes]:
        if kind == BIT:
            return [bytes([name.decode() in self.contacts]) for name in names]
        size = int.from_bytes(rest[:2], "little") if kind == BLOCK else 2
        return [bytes(self.memory[device][at + i] for i in range(size)) for device, at, _ in map(_place, names)]

    def _write(self, names: list[bytes], rest: bytes) -> None:
        for device, at, _ in map(_place, names):
            size = int.from_bytes(rest[:2], "little")
            self.memory[device].update(enumerate(rest[2 : 2 + size], at))
            rest = rest[2 + size :]


def framed(invoke: bytes, instruction: bytes, plc_info: int = 0x0104, cpu: int = 0xA0) -> bytes:
    """An answer of a PLC."""
    head = b"LSIS-XGT\0\0" + plc_info.to_bytes(2, "little") + bytes([cpu, 0x11]) + invoke
    head += len(instruction).to_bytes(2, "little") + b"\x02"
    return head + bytes([sum(head) % 256]) + instruction


def _place(name: bytes) -> tuple[str, int, str]:
    found = _NAME.fullmatch(name)
    assert found, f"{name!r} is no name"
    device, size, number = found[1].decode(), found[2].decode(), int(found[3])
    return device, number * (2 if size == "W" else 1), size


def _with(position: int, value: bytes) -> Script:
    def changed(_question: bytes, answer: bytes) -> list[Step]:
        return [answer[:position] + value + answer[position + len(value) :]]

    return changed


def _next_invoke(_question: bytes, answer: bytes) -> list[Step]:
    invoke = (int.from_bytes(answer[14:16], "little") + 1) % 65536
    return [answer[:14] + invoke.to_bytes(2, "little") + answer[16:]]


def _resized(change: int, *, announced: bool) -> Script:
    """A sound frame with more or fewer bytes than were asked for, and maybe the right count of them."""

    def changed(_question: bytes, answer: bytes) -> list[Step]:
        data = answer[HEADER + 12 :] + bytes(change) if change > 0 else answer[HEADER + 12 : change]
        count = len(data).to_bytes(2, "little") if announced else answer[HEADER + 10 : HEADER + 12]
        return [framed(answer[14:16], answer[HEADER : HEADER + 10] + count + data)]

    return changed


IMPOSTORS: dict[str, Script] = {
    "invoke id of another request": _next_invoke,
    "invoke id 0": _with(14, b"\0\0"),
    "another company": _with(0, b"LGIS-GLOFA"),
    "a frame from a client": _with(13, b"\x33"),
    "length of 65535": _with(16, b"\xff\xff"),
    "length of 2": _with(16, b"\2\0"),
    "answer to a write": _with(HEADER, b"\x59\0"),
    "a question": _with(HEADER, b"\x54\0"),
    "another data type": _with(HEADER + 2, b"\2\0"),
    "two blocks": _with(HEADER + 8, b"\2\0"),
    "no block": _with(HEADER + 8, b"\0\0"),
    "byte count too small": _with(HEADER + 10, b"\4\0"),
    "a word too few": _resized(-2, announced=True),
    "a word too many": _resized(2, announced=True),
    "a word too few, but not announced": _resized(-2, announced=False),
    "a word too many, but not announced": _resized(2, announced=False),
    "a byte too many": lambda _question, answer: [answer + b"\x17"],
}
"""Answers that must never give a value, to a block read of three words."""
