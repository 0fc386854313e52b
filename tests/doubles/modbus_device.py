"""Modbus devices for tests, from the specification's own words and from nothing of ours."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from tempfile import gettempdir
from uuid import uuid4

from simulators.serial_door import SerialDoor
from tests.doubles.scripted_device import Script, ScriptedDevice, Step

READS_BITS, READS_WORDS, WRITES_ONE = (1, 2), (3, 4), (5, 6)
MOST = {1: 2000, 2: 2000, 3: 125, 4: 125, 5: 1, 6: 1, 15: 1968, 16: 123}
"""Bits or registers in one request, by function."""


class ModbusDevice(ScriptedDevice):
    """Modbus TCP, function codes 1 to 6, 15 and 16.

    `words` and `bits` by the function code that reads them, then by zero-based address; unset is 0.
    `missing` addresses are refused with exception 2; `refusal` is an exception code for every question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.words: dict[int, dict[int, int]] = {3: defaultdict(int), 4: defaultdict(int)}
        self.bits: dict[int, dict[int, bool]] = {1: defaultdict(bool), 2: defaultdict(bool)}
        self.missing: set[int] = set()
        self.refusal: int | None = None

    def question_size(self, received: bytes) -> int:
        return 6 + int.from_bytes(received[4:6], "big") if len(received) >= 6 else 0

    def answer(self, question: bytes) -> bytes:
        pdu = self.pdu(question[7:])
        return question[:2] + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + question[6:7] + pdu

    def pdu(self, asked: bytes) -> bytes:
        """The answer to a PDU, which is carried out."""
        function, start, second = asked[0], int.from_bytes(asked[1:3], "big"), int.from_bytes(asked[3:5], "big")
        count = 1 if function in WRITES_ONE else second
        if self.refusal is not None:
            return bytes([function | 0x80, self.refusal])
        if function not in MOST:
            return bytes([function | 0x80, 1])
        if not 1 <= count <= MOST[function]:
            return bytes([function | 0x80, 3])
        if self.missing.intersection(range(start, start + count)) or start + count > 65536:
            return bytes([function | 0x80, 2])
        if function in (*READS_BITS, *READS_WORDS):
            data = self._data(function, range(start, start + count))
            return bytes([function, len(data)]) + data
        self._write(function, start, count, asked)
        return asked[:5]

    def _data(self, function: int, addresses: range) -> bytes:
        if function in READS_WORDS:
            return b"".join(self.words[function][address].to_bytes(2, "big") for address in addresses)
        packed = sum(self.bits[function][address] << i for i, address in enumerate(addresses))
        return packed.to_bytes(-(-len(addresses) // 8), "little")

    def _write(self, function: int, start: int, count: int, asked: bytes) -> None:
        data = asked[3:5] if function in WRITES_ONE else asked[6:]
        for i in range(count):
            if function == 5:
                self.bits[1][start] = data == b"\xff\0"
            elif function == 15:
                self.bits[1][start + i] = bool(data[i // 8] >> i % 8 & 1)
            else:
                self.words[3][start + i] = int.from_bytes(data[2 * i : 2 * i + 2], "big")


class ModbusRtuDevice(ModbusDevice):
    """The same in serial frames: on TCP, as behind a serial device server. One unit, whatever it is asked as."""

    def question_size(self, received: bytes) -> int:
        if len(received) < 7:
            return 0
        return 9 + received[6] if received[1] in (15, 16) else 8

    def answer(self, question: bytes) -> bytes:
        return checked(question[:1] + self.pdu(question[1:-2]))


class ModbusSerialDevice(ModbusRtuDevice):
    """The same on a serial line, whose near end `path` stays the same over restarts."""

    def __init__(self) -> None:
        super().__init__()
        self._door = SerialDoor(self._converse, name=Path(gettempdir()) / f"line-{uuid4()}")

    @property
    def path(self) -> str:
        return self._door.path

    async def start(self) -> None:
        self._door.open()

    async def stop(self) -> None:
        await self._door.close()


def checked(frame: bytes) -> bytes:
    """A serial frame with its checksum, reckoned bit by bit."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return frame + crc.to_bytes(2, "little")


def _with(position: int, value: bytes) -> Script:
    def changed(_question: bytes, answer: bytes) -> list[Step]:
        return [answer[:position] + value + answer[position + len(value) :]]

    return changed


def _next_transaction(_question: bytes, answer: bytes) -> list[Step]:
    transaction = int.from_bytes(answer[:2], "big") + 1
    return [transaction.to_bytes(2, "big") + answer[2:]]


def _resized(change: int) -> Script:
    """A sound frame with more or fewer registers than were asked for."""

    def changed(_question: bytes, answer: bytes) -> list[Step]:
        data = answer[9:] + bytes(2 * change) if change > 0 else answer[9 : 2 * change]
        return [answer[:4] + (len(data) + 3).to_bytes(2, "big") + answer[6:8] + bytes([len(data)]) + data]

    return changed


def _byte_too_many(_question: bytes, answer: bytes) -> list[Step]:
    return [answer + b"\x17"]


IMPOSTORS: dict[str, Script] = {
    "transaction id of another request": _next_transaction,
    "transaction id 0": _with(0, b"\0\0"),
    "protocol id 1": _with(2, b"\0\1"),
    "length of 65535": _with(4, b"\xff\xff"),
    "length of 2": _with(4, b"\0\2"),
    "another unit": _with(6, b"\x63"),
    "another function": _with(7, b"\x04"),
    "exception to another function": lambda _question, answer: [answer[:4] + b"\0\3" + answer[6:7] + b"\x84\x02"],
    "byte count too small": _with(8, b"\x01"),
    "a register too few": _resized(-1),
    "a register too many": _resized(1),
    "a byte too many": _byte_too_many,
}
"""Answers that must never give a value, to a read of two or more holding registers of unit 1."""


def _frame_of(change: Callable[[bytes], bytes]) -> Script:
    """A serial frame with something else in it, and a checksum that fits."""
    return lambda _question, answer: [checked(change(answer[:-2]))]


RTU_IMPOSTORS: dict[str, Script] = {
    "a wrong checksum": lambda _question, answer: [answer[:-1] + bytes([answer[-1] ^ 1])],
    "a checksum of zeros": lambda _question, answer: [answer[:-2] + b"\0\0"],
    "a value changed on the way": lambda _question, answer: [answer[:4] + bytes([answer[4] ^ 8]) + answer[5:]],
    "another unit": _frame_of(lambda frame: b"\x63" + frame[1:]),
    "another function": _frame_of(lambda frame: frame[:1] + b"\x04" + frame[2:]),
    "exception to another function": _frame_of(lambda frame: frame[:1] + b"\x84\x02"),
    "byte count too small": _frame_of(lambda frame: frame[:2] + b"\x01" + frame[3:]),
    "a register too few": _frame_of(lambda frame: frame[:2] + bytes([frame[2] - 2]) + frame[3:-2]),
    "a register too many": _frame_of(lambda frame: frame[:2] + bytes([frame[2] + 2]) + frame[3:] + b"\0\0"),
    "a byte too many": _byte_too_many,
    "a second answer at once": lambda _question, answer: [answer + answer],
}
"""The same for serial frames."""
