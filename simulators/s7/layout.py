"""What a simulated CPU has in which area, and how values stand there."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, IntEnum
from typing import TypeAlias

from simulators.signals import Setpoint, Signal, SignalValue


class Area(IntEnum):
    """The memory areas, by their codes on the wire."""

    INPUTS = 0x81
    OUTPUTS = 0x82
    FLAGS = 0x83
    DB = 0x84
    COUNTERS = 0x1C
    TIMERS = 0x1D


class Kind(Enum):
    """How a cell's value stands in memory: the type's name in a config document, and the bytes of a number."""

    BOOL = "BOOL", ""
    BYTE = "UINT8", "B"
    INT = "INT16", "h"
    WORD = "UINT16", "H"
    DINT = "INT32", "i"
    DWORD = "UINT32", "I"
    LINT = "INT64", "q"
    REAL = "FLOAT32", "f"
    LREAL = "FLOAT64", "d"
    TIME = "TIME", "i"
    CHAR = "CHAR", ""
    STRING = "STRING", ""
    WSTRING = "WSTRING", ""
    DATE = "DATE", ""
    TIME_OF_DAY = "TIME_OF_DAY", "I"
    DATE_AND_TIME = "DATE_AND_TIME", ""
    DTL = "DTL", ""
    S5TIME = "S5TIME", ""
    COUNT = "UINT16", ""


_SIZES = {Kind.BOOL: 1, Kind.CHAR: 1, Kind.DATE: 2, Kind.DATE_AND_TIME: 8, Kind.DTL: 12, Kind.S5TIME: 2, Kind.COUNT: 2}
_EPOCH = datetime(1990, 1, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One signal at one place: byte `at` of its block, for a BOOL a `bit` of that byte.

    `length` is the characters of a STRING or WSTRING. A date's signal gives seconds since 1990, that of a TIME_OF_DAY,
    TIME or S5TIME milliseconds.
    """

    at: int
    signal: Signal
    kind: Kind = Kind.WORD
    bit: int = 0
    length: int = 0

    @property
    def size(self) -> int:
        """How many bytes it takes."""
        if self.kind in (Kind.STRING, Kind.WSTRING):
            return 2 + self.length if self.kind is Kind.STRING else 4 + 2 * self.length
        return _SIZES.get(self.kind) or struct.calcsize(f">{self.kind.value[1]}")

    @property
    def writable(self) -> bool:
        """Whether it keeps what a client writes."""
        return isinstance(self.signal, Setpoint)


@dataclass(frozen=True, slots=True)
class Block:
    """One DB, or one of the other areas: so many bytes, and what moves in them. The rest is plain memory."""

    size: int
    cells: tuple[Cell, ...] = ()


Layout: TypeAlias = Mapping[tuple[Area, int], Block]
"""Blocks by area and number; the number is 0 but for DBs."""


def stored(cell: Cell, value: SignalValue) -> bytes:
    """The bytes of a value. Whole numbers wrap around as in a CPU; a text is cut."""
    kind = cell.kind
    if kind in (Kind.STRING, Kind.WSTRING, Kind.CHAR):
        return _text(kind, str(value), cell.length)
    number = value if isinstance(value, int) else float(value)
    if kind in (Kind.REAL, Kind.LREAL):
        return struct.pack(f">{kind.value[1]}", number)
    if kind in (Kind.DATE, Kind.DATE_AND_TIME, Kind.DTL):
        return _date(kind, _EPOCH + timedelta(seconds=number))
    if kind is Kind.S5TIME:
        return _s5time(round(number))
    if kind is Kind.COUNT:
        return int(str(round(number) % 1000), 16).to_bytes(2, "big")
    size = cell.size
    return (round(number) % (1 << 8 * size)).to_bytes(size, "big")


def loaded(cell: Cell, raw: bytes) -> SignalValue | None:
    """The number that stands there; None for what is none."""
    if not cell.kind.value[1]:
        return None
    (number,) = struct.unpack(f">{cell.kind.value[1]}", raw)
    return float(number) if isinstance(number, float) else int(number)


def _text(kind: Kind, text: str, length: int) -> bytes:
    if kind is Kind.CHAR:
        return text.encode("latin-1", "replace")[:1].ljust(1)
    if kind is Kind.WSTRING:
        wide = text[:length].encode("utf-16-be")
        return struct.pack(">HH", length, len(wide) // 2) + wide.ljust(2 * length, b"\0")
    raw = text.encode()[:length]
    return bytes([length, len(raw)]) + raw.ljust(length, b"\0")


def _date(kind: Kind, at: datetime) -> bytes:
    if kind is Kind.DATE:
        return (at - _EPOCH).days.to_bytes(2, "big")
    sunday_first = (at.weekday() + 1) % 7 + 1
    if kind is Kind.DTL:
        head = struct.pack(">HBBB", at.year, at.month, at.day, sunday_first)
        return head + struct.pack(">BBBI", at.hour, at.minute, at.second, 1000 * at.microsecond)
    digits = f"{at:%y%m%d%H%M%S}{at.microsecond // 1000:03d}{sunday_first}"
    return bytes.fromhex(digits)


def _s5time(ms: int) -> bytes:
    """On the finest of the four bases that reaches so far."""
    base = next((code for code in range(4) if ms // 10 ** (code + 1) <= 999), 3)
    return bytes.fromhex(f"{base}{min(ms // 10 ** (base + 1), 999):03d}")
