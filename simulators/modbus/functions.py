"""Modbus requests and answers as bytes: what a client may ask, and how it is told. Pure."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from simulators.modbus.layout import BIT_TABLES, Table, Unit


class ExceptionCode(IntEnum):
    """Why a PLC says no."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    ACKNOWLEDGE = 5
    BUSY = 6
    GATEWAY_PATH = 10
    GATEWAY_NO_ANSWER = 11


class ModbusError(Exception):
    """An exception answer in the making."""

    def __init__(self, code: int) -> None:
        super().__init__(f"Modbus exception {code}")
        self.code = code


_READS = {1: Table.COIL, 2: Table.DISCRETE, 3: Table.HOLDING, 4: Table.INPUT}
_WRITES = {5: Table.COIL, 6: Table.HOLDING, 15: Table.COIL, 16: Table.HOLDING}
_COIL_WORDS = {0x0000: 0, 0xFF00: 1}
_MAX_WRITTEN_COILS = 1968
_MAX_WRITTEN_REGISTERS = 123


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked for. `words` are what it wants written (bits as 0 and 1), None for a read."""

    function: int
    table: Table
    address: int
    count: int
    words: tuple[int, ...] | None = None

    @property
    def addresses(self) -> range:
        """Zero-based."""
        return range(self.address, self.address + self.count)


def parse(pdu: bytes, unit: Unit) -> Request:
    """Understand a request. Raises `ModbusError` 1 for other functions, 3 for counts that do not fit."""
    function = pdu[0]
    if function not in _READS and function not in _WRITES:
        raise ModbusError(ExceptionCode.ILLEGAL_FUNCTION)
    if len(pdu) < 5:
        raise ModbusError(ExceptionCode.ILLEGAL_VALUE)
    address, second = struct.unpack_from(">HH", pdu, 1)
    if function in _READS:
        request = _parse_read(function, address, second, len(pdu), unit)
    elif function in (5, 6):
        request = _parse_single(function, address, second, len(pdu))
    else:
        request = _parse_multiple(function, address, second, pdu[5:])
    if address + request.count > 0x10000:
        raise ModbusError(ExceptionCode.ILLEGAL_ADDRESS)
    return request


def read_answer(request: Request, words: list[int]) -> bytes:
    """The PDU that answers a read."""
    data = _pack_bits(words) if request.table in BIT_TABLES else struct.pack(f">{len(words)}H", *words)
    return bytes((request.function, len(data))) + data


def write_answer(pdu: bytes) -> bytes:
    """The PDU that confirms a write: function, address, and the value or the count."""
    return pdu[:5]


def exception_answer(function: int, code: int) -> bytes:
    """The PDU that says no."""
    return bytes((function | 0x80, code))


def _parse_read(function: int, address: int, count: int, size: int, unit: Unit) -> Request:
    table = _READS[function]
    most = unit.max_bits if table in BIT_TABLES else unit.max_registers
    if size != 5 or not 1 <= count <= most:
        raise ModbusError(ExceptionCode.ILLEGAL_VALUE)
    return Request(function, table, address, count)


def _parse_single(function: int, address: int, value: int, size: int) -> Request:
    word = _COIL_WORDS.get(value) if function == 5 else value
    if size != 5 or word is None:
        raise ModbusError(ExceptionCode.ILLEGAL_VALUE)
    return Request(function, _WRITES[function], address, 1, (word,))


def _parse_multiple(function: int, address: int, count: int, rest: bytes) -> Request:
    coils = function == 15
    size = (count + 7) // 8 if coils else 2 * count
    most = _MAX_WRITTEN_COILS if coils else _MAX_WRITTEN_REGISTERS
    if not 1 <= count <= most or len(rest) != 1 + size or rest[0] != size:
        raise ModbusError(ExceptionCode.ILLEGAL_VALUE)
    words = _unpack_bits(rest[1:], count) if coils else struct.unpack(f">{count}H", rest[1:])
    return Request(function, _WRITES[function], address, count, words)


def _pack_bits(bits: list[int]) -> bytes:
    number = sum(bit << place for place, bit in enumerate(bits))
    return number.to_bytes((len(bits) + 7) // 8, "little")


def _unpack_bits(data: bytes, count: int) -> tuple[int, ...]:
    number = int.from_bytes(data, "little")
    return tuple(number >> place & 1 for place in range(count))
