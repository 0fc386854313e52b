"""A press line: one list of tags, of which both the PLC's registers and the config document are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.document import Limits, device_entry, write_rights
from simulators.modbus.layout import BIT_TABLES, Cell, Layout, Table, Unit
from simulators.modbus.words import Kind, Order
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

_FIRST = {Table.COIL: 1, Table.DISCRETE: 10_001, Table.INPUT: 30_001, Table.HOLDING: 40_001}


@dataclass(frozen=True, slots=True)
class LineTag:
    """One tag of the line: where it is in the PLC, and how the config document describes it.

    `bit` makes it a bit of a register that another tag's cell covers; then it brings no cell of its own.
    """

    name: str
    table: Table
    address: int
    signal: Signal
    kind: Kind = Kind.UINT16
    order: Order = Order.ABCD
    scale: float = 1
    offset: float = 0
    unit: str = ""
    length: int = 0
    bit: int | None = None
    limits: Limits = None

    def cell(self) -> Cell | None:
        """Its registers, None when another tag covers them."""
        if self.bit is not None:
            return None
        return Cell(self.table, self.address, self.signal, self.kind, self.order, self.length)

    def entry(self) -> dict[str, object]:
        """The tag as a config document lists it."""
        entry: dict[str, object] = {
            "name": self.name,
            "address": self._written_address(),
            "data_type": "BOOL" if self.table in BIT_TABLES or self.bit is not None else str(self.kind),
            "byte_order": "BIG_ENDIAN" if self.order is Order.ABCD else str(self.order),
            "scale": self.scale,
            "offset": self.offset,
            "unit": self.unit,
        }
        if self.length:
            entry["length"] = self.length
        return entry | write_rights(self.signal, self.limits)

    def _written_address(self) -> str:
        written = f"{_FIRST[self.table] + self.address:05d}"
        return written if self.bit is None else f"{written}.{self.bit}"


_STATUS_BITS: tuple[Signal, ...] = (
    Constant(True),
    Square(period_s=12, duty=0.8),
    Square(period_s=90, duty=0.05),
    Square(period_s=60, duty=0.1),
)
_STATUS = Bits(_STATUS_BITS)


def _status_bit(name: str, bit: int) -> LineTag:
    return LineTag(name, Table.HOLDING, 10, _STATUS_BITS[bit], bit=bit)


PRESS_LINE: tuple[LineTag, ...] = (
    LineTag("temperature", Table.HOLDING, 0, Sine(254, 30, 120), scale=0.1, unit="°C"),
    LineTag("oil_temperature", Table.HOLDING, 1, RandomWalk(7, 380, 520), scale=0.1, unit="°C"),
    LineTag("pressure", Table.HOLDING, 2, RandomWalk(3, 1050, 1180), scale=0.01, unit="bar"),
    LineTag("유압압력", Table.HOLDING, 3, Ramp(0, 2100, 6), scale=0.1, unit="bar"),
    LineTag("slide_position", Table.HOLDING, 4, Sine(0, 3000, 6), Kind.INT16, scale=0.1, unit="mm"),
    LineTag("chiller_temperature", Table.HOLDING, 5, Sine(20, 150, 300), Kind.INT16, scale=0.1, unit="°C"),
    LineTag("생산수량", Table.HOLDING, 6, Counter(0.5, 120_000), Kind.UINT32, unit="개"),
    LineTag("불량수량", Table.HOLDING, 8, Counter(0.01, 340), Kind.UINT32, Order.CDAB, unit="개"),
    LineTag("status_word", Table.HOLDING, 10, _STATUS),
    _status_bit("운전중", 0),
    _status_bit("die_closed", 1),
    _status_bit("금형교체", 2),
    _status_bit("guard_open", 3),
    LineTag("force_left", Table.HOLDING, 12, RandomWalk(11, 812, 845), Kind.FLOAT32, unit="kN"),
    LineTag("force_right", Table.HOLDING, 14, RandomWalk(12, 812, 845), Kind.FLOAT32, Order.CDAB, unit="kN"),
    LineTag("motor_current", Table.HOLDING, 16, Sine(42, 8, 10), Kind.FLOAT32, Order.BADC, unit="A"),
    LineTag("vibration", Table.HOLDING, 18, RandomWalk(13, 0.2, 4.5), Kind.FLOAT32, Order.DCBA, unit="mm/s"),
    LineTag("torque_trim", Table.HOLDING, 20, Sine(0, 40_000, 45), Kind.INT32, scale=0.001, unit="Nm"),
    LineTag("energy", Table.HOLDING, 22, Ramp(10_250.5, 10_850.5, 3600), Kind.FLOAT64, unit="kWh"),
    LineTag("model", Table.HOLDING, 30, Cycle(("CASE-A17", "CASE-B20"), 120), Kind.STRING, length=16),
    LineTag("작업자", Table.HOLDING, 38, Cycle(("김철수", "이영희", "박민준"), 300), Kind.STRING, length=20),
    LineTag("mode", Table.HOLDING, 48, Cycle((1, 1, 1, 2, 0), 30)),
    LineTag("setpoint", Table.HOLDING, 60, Setpoint(425, 0, 1200), scale=0.1, unit="°C", limits=(0.0, 120.0)),
    LineTag("stroke_rate", Table.HOLDING, 61, Setpoint(30, 5, 60), unit="spm", limits=(5, 60)),
    LineTag("tank_level", Table.INPUT, 0, RandomWalk(21, 5500, 9200), scale=0.01, unit="%"),
    LineTag("scan_number", Table.INPUT, 1, Unique(), Kind.UINT32),
    LineTag("lubrication", Table.COIL, 0, Setpoint(True)),
    LineTag("warning_lamp", Table.COIL, 1, Setpoint(False)),
    LineTag("part_present", Table.DISCRETE, 0, Square(period_s=2)),
    LineTag("비상정지", Table.DISCRETE, 1, Constant(False)),
)
"""The tags, in the order of the document."""


def demo_layout(unit_id: int = 1) -> Layout:
    """The press line's registers, in one unit. What lies between the tags does not exist (exception 2)."""
    cells = tuple(cell for tag in PRESS_LINE if (cell := tag.cell()) is not None)
    return {unit_id: Unit(cells)}


def demo_device(
    host: str,
    port: int,
    *,
    device_id: str = "1",
    name: str = "CASE프레스_PLC_01",
    unit_id: int = 1,
    interval_ms: int = 1000,
    tags: Sequence[LineTag] = PRESS_LINE,
) -> dict[str, object]:
    """The device entry of a config document that reads the press line at this address."""
    connection = {"host": host, "port": port, "unit_id": unit_id}
    entries = [tag.entry() for tag in tags]
    return device_entry("modbus_tcp", connection, entries, device_id=device_id, name=name, interval_ms=interval_ms)
