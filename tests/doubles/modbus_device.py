"""A Modbus TCP device for tests, from the specification's own words and from nothing of ours."""

from collections import defaultdict

from tests.doubles.scripted_device import Script, ScriptedDevice, Step

READS_BITS, READS_WORDS = (1, 2), (3, 4)


class ModbusDevice(ScriptedDevice):
    """Function codes 1 to 4. `words` and `bits` by function code, then by zero-based address; unset is 0.

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
        transaction, unit, function = question[:2], question[6:7], question[7]
        start, count = int.from_bytes(question[8:10], "big"), int.from_bytes(question[10:12], "big")
        pdu = self._pdu(function, start, count)
        return transaction + b"\0\0" + (len(pdu) + 1).to_bytes(2, "big") + unit + pdu

    def _pdu(self, function: int, start: int, count: int) -> bytes:
        addresses = range(start, start + count)
        if self.refusal is not None:
            return bytes([function | 0x80, self.refusal])
        if function not in (*READS_BITS, *READS_WORDS):
            return bytes([function | 0x80, 1])
        if not 1 <= count <= (125 if function in READS_WORDS else 2000):
            return bytes([function | 0x80, 3])
        if self.missing.intersection(addresses) or start + count > 65536:
            return bytes([function | 0x80, 2])
        if function in READS_WORDS:
            data = b"".join(self.words[function][address].to_bytes(2, "big") for address in addresses)
        else:
            packed = sum(self.bits[function][address] << i for i, address in enumerate(addresses))
            data = packed.to_bytes(-(-count // 8), "little")
        return bytes([function, len(data)]) + data


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
