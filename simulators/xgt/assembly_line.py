"""An assembly line: one list of tags, of which both the PLC's memory and the config document are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.document import Limits, device_entry, write_rights
from simulators.signals import (
    Bits,
    Constant,
    Counter,
    Cycle,
    Ramp,
    RandomWalk,
    Setpoint,
    Signal,
    Sine,
    Square,
    Unique,
)
from simulators.xgt.memory import Cell, Memory
from simulators.xgt.values import Kind


@dataclass(frozen=True, slots=True)
class LineTag:
    """One tag of the line: how the config document names it, and where that is in the PLC, in bytes.

    Without a `byte` it is part of another tag's cell; a `contact` is that of a timer or counter.
    """

    name: str
    address: str
    signal: Signal
    byte: int | None = None
    kind: Kind = Kind.UINT16
    scale: float = 1
    unit: str = ""
    length: int = 0
    limits: Limits = None
    contact: bool = False

    def cell(self) -> Cell | None:
        """Its bytes, None when another tag covers them."""
        if self.byte is None:
            return None
        return Cell(self.address.lstrip("%")[0], self.byte, self.signal, self.kind, self.length)

    def entry(self) -> dict[str, object]:
        """The tag as a config document lists it."""
        entry: dict[str, object] = {
            "name": self.name,
            "address": self.address,
            "data_type": str(self.kind),
            "byte_order": "BIG_ENDIAN",
            "scale": self.scale,
            "offset": 0,
            "unit": self.unit,
        }
        if self.length:
            entry["length"] = self.length
        return entry | write_rights(self.signal, self.limits)


_STATUS_BITS: tuple[Signal, ...] = (
    Constant(True),
    Square(20, 0.9),
    Square(45, 0.1),
    Square(5),
    *(Constant(False),) * 8,
)
_LAMPS = Bits((*_STATUS_BITS, Square(3, 0.3)))

ASSEMBLY_LINE: tuple[LineTag, ...] = (
    LineTag("temperature", "%DW100", Sine(412, 25, 90), 200, scale=0.1, unit="°C"),
    LineTag("체결토크", "D101", RandomWalk(31, 780, 860), 202, scale=0.01, unit="Nm"),
    LineTag("screw_depth", "D102", Sine(0, 1500, 8), 204, Kind.INT16, scale=0.01, unit="mm"),
    LineTag("조립수량", "%DW104", Counter(0.4, 64_000), 208, Kind.UINT32, unit="개"),
    LineTag("불량수량", "%MD53", Counter(0.02, 120), 212, Kind.UINT32, unit="개"),
    LineTag("press_force", "D108", RandomWalk(32, 1.8, 2.6), 216, Kind.FLOAT32, unit="kN"),
    LineTag("energy", "D110", Ramp(5_120.25, 5_420.25, 3600), 220, Kind.FLOAT64, unit="kWh"),
    LineTag("model", "D120", Cycle(("ASSY-L1", "ASSY-R2"), 90), 240, Kind.STRING, length=12),
    LineTag("작업자", "D130", Cycle(("김철수", "이영희", "박민준"), 240), 260, Kind.STRING, length=20),
    LineTag("recipe", "%DB300", Cycle((1, 2, 5), 60), 300, Kind.UINT8),
    LineTag("setpoint", "D160", Setpoint(410, 0, 900), 320, scale=0.1, unit="°C", limits=(0.0, 90.0)),
    LineTag("line_speed", "D161", Setpoint(12, 1, 30), 322, unit="m/min", limits=(1, 30)),
    LineTag("scan_number", "R0", Unique(), 0, Kind.UINT32),
    LineTag("lamps", "M172", _LAMPS, 344),
    LineTag("운전중", "M01720", _STATUS_BITS[1], kind=Kind.BOOL),
    LineTag("자재부족", "M0172C", Square(3, 0.3), kind=Kind.BOOL),
    LineTag("lubrication", "M00000", Setpoint(0), 0, kind=Kind.BOOL),
    LineTag("door_open", "P0003F", Bits((*(Constant(False),) * 15, Square(40, 0.1))), 6, kind=Kind.BOOL),
    LineTag("dwell_time", "T5", Ramp(0, 50, 10), 10, scale=0.1, unit="s"),
    LineTag("dwell_over", "%TX5", Square(10, 0.2), kind=Kind.BOOL, contact=True),
)
"""The tags, in the order of the document."""


def demo_memory() -> Memory:
    """The assembly line's memory; what lies between the tags reads 0."""
    cells = [cell for tag in ASSEMBLY_LINE if (cell := tag.cell()) is not None]
    contacts = {tag.address.replace("%", "").replace("X", ""): tag.signal for tag in ASSEMBLY_LINE if tag.contact}
    return Memory(cells, contacts)


def demo_device(
    host: str,
    port: int,
    *,
    device_id: str = "2",
    name: str = "조립라인_PLC_02",
    family: str = "xgk",
    interval_ms: int = 1000,
    tags: Sequence[LineTag] = ASSEMBLY_LINE,
) -> dict[str, object]:
    """The device entry of a config document that reads the assembly line at this address."""
    connection = {"host": host, "port": port, "family": family}
    entries = [tag.entry() for tag in tags]
    return device_entry("xgt", connection, entries, device_id=device_id, name=name, interval_ms=interval_ms)
