"""An S7 CPU for tests, from the protocol's published descriptions and from nothing of ours."""

import struct
from collections import defaultdict

from tests.doubles.scripted_device import Script, ScriptedDevice, Step

DB, TIMERS, COUNTERS = 0x84, 0x1D, 0x1C
RANGE, MISSING = 0x05, 0x0A


class S7Device(ScriptedDevice):
    """Reads and writes. `memory` by area and block, then by byte; unset is 0. `missing` bytes of DB1 are refused.

    `blocks` limits the DBs that exist; `refusal` is an error of the header for every question; `pdu` is granted.
    """

    def __init__(self, pdu: int = 480) -> None:
        super().__init__()
        self.pdu = pdu
        self.memory: dict[tuple[int, int], dict[int, int]] = defaultdict(lambda: defaultdict(int))
        self.missing: set[int] = set()
        self.blocks: set[int] | None = None
        self.refusal: int | None = None
        self.refuse_connections = False

    def put(self, start: int, data: bytes, db: int = 1, area: int = DB) -> None:
        """Set bytes."""
        self.memory[area, db].update(enumerate(data, start))

    def get(self, start: int, size: int, db: int = 1, area: int = DB) -> bytes:
        """What stands there."""
        return bytes(self.memory[area, db][at] for at in range(start, start + size))

    def question_size(self, received: bytes) -> int:
        return int.from_bytes(received[2:4], "big") if len(received) >= 4 else 0

    def greeting(self, question: bytes) -> bytes | None:
        if question[5] == 0xE0:
            if self.refuse_connections:
                return bytes.fromhex("0300000b06800001000000")
            return bytes.fromhex("0300001611d00001000900c0010ac1020100c2020101")
        if question[17] == 0xF0:
            (asked,) = struct.unpack_from(">H", question, 23)
            setup = bytes.fromhex("f00000010001") + struct.pack(">H", min(asked, self.pdu))
            return frame(question[11:13], setup, b"")
        return None

    def answer(self, question: bytes) -> bytes:
        reference, function, count = question[11:13], question[17], question[18]
        if self.refusal is not None:
            return frame(reference, b"", b"", self.refusal)
        specs = [question[19 + 12 * i : 31 + 12 * i] for i in range(count)]
        if function == 4:
            items = [self._read(spec) for spec in specs]
            data = b"".join(item + bytes(len(item) % 2) for item in items[:-1]) + items[-1]
        else:
            data = self._write(specs[0], question[31 + 4 :])
        if 14 + len(data) > self.pdu or len(question) - 7 > self.pdu or count > 20:
            return frame(reference, b"", b"", 0x8500)
        return frame(reference, bytes([function, count]), data)

    def _place(self, spec: bytes) -> tuple[int, int, int, range]:
        element, count, db, place = struct.unpack_from(">BHHI", spec, 3)
        area, address = place >> 24, place & 0xFFFFFF
        if area in (TIMERS, COUNTERS):
            return element, area, db, range(2 * address, 2 * (address + count))
        return element, area, db, range(address // 8, address // 8 + count)

    def _read(self, spec: bytes) -> bytes:
        element, area, db, places = self._place(spec)
        if area == DB and self.blocks is not None and db not in self.blocks:
            return bytes([MISSING, 0, 0, 4])
        if area == DB and db == 1 and self.missing.intersection(places):
            return bytes([RANGE, 0, 0, 0])
        data = self.get(places.start, len(places), db, area)
        if element in (TIMERS, COUNTERS):
            return struct.pack(">BBH", 0xFF, 9, len(data)) + data
        return struct.pack(">BBH", 0xFF, 4, 8 * len(data)) + data

    def _write(self, spec: bytes, data: bytes) -> bytes:
        element, area, db, places = self._place(spec)
        if area == DB and db == 1 and self.missing.intersection(places):
            return bytes([RANGE])
        if element == 1:
            bit = struct.unpack_from(">I", spec, 8)[0] & 7
            old = self.memory[area, db][places.start]
            data = bytes([old | 1 << bit if data[0] else old & ~(1 << bit)])
        self.put(places.start, data[: len(places)], db, area)
        return b"\xff"


def frame(reference: bytes, parameters: bytes, data: bytes, error: int = 0) -> bytes:
    """An answer as it goes on the wire."""
    header = b"\x32\x03\0\0" + reference + struct.pack(">HHH", len(parameters), len(data), error)
    message = header + parameters + data
    return struct.pack(">BBH", 3, 0, 7 + len(message)) + b"\x02\xf0\x80" + message


def _with(position: int, value: bytes) -> Script:
    def changed(_question: bytes, answer: bytes) -> list[Step]:
        return [answer[:position] + value + answer[position + len(value) :]]

    return changed


def _next_reference(_question: bytes, answer: bytes) -> list[Step]:
    number = int.from_bytes(answer[11:13], "big") + 1
    return [answer[:11] + number.to_bytes(2, "big") + answer[13:]]


def _resized(change: int) -> Script:
    """A sound answer with more or fewer bytes than were asked for."""

    def changed(_question: bytes, answer: bytes) -> list[Step]:
        data = answer[25:] + bytes(change) if change > 0 else answer[25:change]
        return [frame(answer[11:13], answer[19:21], answer[21:23] + struct.pack(">H", 8 * len(data)) + data)]

    return changed


IMPOSTORS: dict[str, Script] = {
    "reference of another question": _next_reference,
    "reference 0": _with(11, b"\0\0"),
    "TPKT version 4": _with(0, b"\x04"),
    "length of 65535": _with(2, b"\xff\xff"),
    "length of 4": _with(2, b"\0\4"),
    "COTP of another kind": _with(5, b"\x80"),
    "another protocol": _with(7, b"\x72"),
    "a question": _with(8, b"\x01"),
    "another function": _with(19, b"\x05"),
    "two items": _with(20, b"\x02"),
    "an item too short": _resized(-2),
    "an item too long": _resized(2),
    "a length in bits that lies": _with(23, b"\0\x08"),
    "a byte too many": lambda _question, answer: [answer + b"\x17"],
}
"""Answers that must never give a value, to a read of three words in one item."""
