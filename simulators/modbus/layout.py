"""What a simulated PLC has at which address."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from simulators.modbus.words import Kind, Order, word_count
from simulators.signals import Setpoint, Signal


class Table(StrEnum):
    """Modbus's four tables."""

    COIL = "coil"
    DISCRETE = "discrete"
    INPUT = "input"
    HOLDING = "holding"


BIT_TABLES = frozenset({Table.COIL, Table.DISCRETE})


@dataclass(frozen=True, slots=True)
class Cell:
    """One signal at one place. `address` is zero-based; `length` is the bytes of a STRING."""

    table: Table
    address: int
    signal: Signal
    kind: Kind = Kind.UINT16
    order: Order = Order.ABCD
    length: int = 0
    encoding: str = "utf-8"

    @property
    def size(self) -> int:
        """How many addresses of its table it takes."""
        return 1 if self.table in BIT_TABLES else word_count(self.kind, self.length)

    @property
    def writable(self) -> bool:
        """Whether a client may write here."""
        return isinstance(self.signal, Setpoint)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit: what exists is what its cells cover and what `memory` names; all else is exception 2.

    `memory` is plain storage, zero at the start, which clients may write in coils and holding registers. A
    request for more than `max_registers` or `max_bits` is exception 3, as small PLCs do.
    """

    cells: tuple[Cell, ...] = ()
    memory: Mapping[Table, tuple[range, ...]] = field(default_factory=dict)
    max_registers: int = 125
    max_bits: int = 2000


Layout: TypeAlias = Mapping[int, Unit]
"""The units behind one port, by unit id."""


def row_of(table: Table, start: int, signals: Iterable[Signal], kind: Kind = Kind.UINT16) -> tuple[Cell, ...]:
    """Cells one right after the other, from `start` on."""
    cells: list[Cell] = []
    for signal in signals:
        cells.append(Cell(table, start, signal, kind))
        start += cells[-1].size
    return tuple(cells)
