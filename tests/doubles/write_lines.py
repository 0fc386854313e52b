"""Four PLCs of four protocols with the same three words, each of which says what was written to it.

Word 0 is a setpoint of 20.0 at scale 0.1, word 1 nobody may write, word 2 the PLC itself keeps within 0 to 500.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from simulators.modbus import Cell, ModbusPlc, Table, Unit
from simulators.opcua import OpcUaPlc
from simulators.opcua.layout import Node
from simulators.s7 import S7Plc
from simulators.s7.layout import Area, Block
from simulators.s7.layout import Cell as S7Cell
from simulators.signals import Constant, Moment, Setpoint, Signal
from simulators.xgt import XgtPlc, family_of
from simulators.xgt.memory import Cell as XgtCell
from simulators.xgt.memory import Memory
from simulators.xgt.names import Place

SIGNALS: tuple[Signal, ...] = (Setpoint(200), Constant(7), Setpoint(0, 0, 500))
NAMES = ("setpoint", "fixed", "clamped")


class Line(Protocol):
    """A running PLC, and what a test wants to know of it."""

    forgotten: int
    """How many of the writes that reached it do not count any more."""

    @property
    def writes(self) -> int:
        """How many requests to write reached it."""
        ...

    async def word(self, number: int) -> int:
        """What it holds."""
        ...

    def die(self, *, dead: bool) -> None:
        """Go off the network, or come back."""
        ...

    def fall_silent(self, *, silent: bool) -> None:
        """Take what is asked and answer nothing, or speak again."""
        ...

    def device(self) -> dict[str, object]:
        """Its entry in the document."""
        ...


def _entry(protocol: str, connection: dict[str, object], addresses: list[str], **fields: object) -> dict[str, object]:
    limits: tuple[dict[str, object], ...] = (
        {"scale": 0.1, "write_min": 0, "write_max": 100, "write_max_step": 50},
        {"writable": False},
        {},
    )
    tags = [
        {"name": name, "address": address, "data_type": "UINT16", "writable": True, **more}
        for name, address, more in zip(NAMES, addresses, limits, strict=True)
    ]
    entry = {
        "id": "1",
        "name": "프레스",
        "protocol": protocol,
        "connection": connection,
        "interval_ms": 50,
        "tags": tags,
    }
    return {**entry, "timeout_ms": 500, **fields}


@dataclass(slots=True)
class ModbusLine:
    plc: ModbusPlc
    forgotten: int = 0

    @property
    def writes(self) -> int:
        return len(self.plc.record.writes) - self.forgotten

    async def word(self, number: int) -> int:
        return self.plc.peek(1, Table.HOLDING, number)[0]

    def die(self, *, dead: bool) -> None:
        self.plc.faults.dead = dead

    def fall_silent(self, *, silent: bool) -> None:
        self.plc.faults.silent = silent

    def device(self) -> dict[str, object]:
        return _entry("modbus_tcp", {"host": "127.0.0.1", "port": self.plc.port}, ["HR0", "HR1", "HR2"])


@dataclass(slots=True)
class S7Line:
    plc: S7Plc
    forgotten: int = 0

    @property
    def writes(self) -> int:
        return len(self.plc.record.writes) - self.forgotten

    async def word(self, number: int) -> int:
        return int.from_bytes(self.plc.peek(Area.DB, 1, 2 * number, 2), "big")

    def die(self, *, dead: bool) -> None:
        self.plc.faults.dead = dead

    def fall_silent(self, *, silent: bool) -> None:
        self.plc.faults.silent = silent

    def device(self) -> dict[str, object]:
        return _entry("s7", {"host": "127.0.0.1", "port": self.plc.port}, ["DB1.DBW0", "DB1.DBW2", "DB1.DBW4"])


@dataclass(slots=True)
class XgtLine:
    plc: XgtPlc
    forgotten: int = 0

    @property
    def writes(self) -> int:
        return len(self.plc.record.writes) - self.forgotten

    async def word(self, number: int) -> int:
        return int.from_bytes(self.plc.memory.read(Place("D", "W", 2 * number), 2, Moment(0.0, 0)), "little")

    def die(self, *, dead: bool) -> None:
        self.plc.faults.dead = dead

    def fall_silent(self, *, silent: bool) -> None:
        self.plc.faults.silent = silent

    def device(self) -> dict[str, object]:
        return _entry("xgt", {"host": "127.0.0.1", "port": self.plc.port, "family": "xgk"}, ["D0", "D1", "D2"])


@dataclass(slots=True)
class OpcUaLine:
    plc: OpcUaPlc
    forgotten: int = 0

    @property
    def writes(self) -> int:
        return len(self.plc.writes) - self.forgotten

    async def word(self, number: int) -> int:
        return int(await self.plc.peek(f"Line.{NAMES[number]}"))

    def die(self, *, dead: bool) -> None:
        self.plc.faults.dead = dead

    def fall_silent(self, *, silent: bool) -> None:
        self.plc.faults.silent = silent

    def device(self) -> dict[str, object]:
        addresses = [f"ns=2;s=Line.{name}" for name in NAMES]
        return _entry("opcua", {"host": "127.0.0.1", "port": self.plc.port}, addresses)


@asynccontextmanager
async def line_of(protocol: str) -> AsyncIterator[Line]:
    """A running PLC of this protocol."""
    match protocol:
        case "modbus_tcp":
            cells = tuple(Cell(Table.HOLDING, number, signal) for number, signal in enumerate(SIGNALS))
            async with ModbusPlc({1: Unit(cells)}) as modbus:
                yield ModbusLine(modbus)
        case "s7":
            s7_cells = tuple(S7Cell(2 * number, signal) for number, signal in enumerate(SIGNALS))
            async with S7Plc({(Area.DB, 1): Block(16, s7_cells)}) as s7:
                yield S7Line(s7)
        case "xgt":
            xgt_cells = [XgtCell("D", 2 * number, signal) for number, signal in enumerate(SIGNALS)]
            async with XgtPlc(Memory(xgt_cells), family=family_of("xgk")) as xgt:
                yield XgtLine(xgt)
        case _:
            nodes = [Node(name, f"Line.{name}", "UInt16", (sig,)) for name, sig in zip(NAMES, SIGNALS, strict=True)]
            async with OpcUaPlc(nodes) as opcua:
                yield OpcUaLine(opcua)


PROTOCOLS = ("modbus_tcp", "s7", "xgt", "opcua")
