"""A filling line: one list of tags, of which both the CPU's memory and the config document are made."""

from collections.abc import Sequence
from dataclasses import dataclass

from simulators.document import Limits, device_entry, write_rights
from simulators.s7.layout import Area, Block, Cell, Kind, Layout
from simulators.signals import (
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

_LETTERS = {Area.INPUTS: "I", Area.OUTPUTS: "Q", Area.FLAGS: "M", Area.TIMERS: "T", Area.COUNTERS: "C"}
_WIDTH_LETTERS = {1: "B", 2: "W"}
_DB_SIZE, _AREA_SIZE = 512, 64
_START_S = 1_145_000_000  # of the made-up calendar: seconds since 1990


@dataclass(frozen=True, slots=True)
class LineTag:
    """One tag of the line: where it is in the CPU, and how the config document describes it. `at` counts bytes, of
    timers and counters their number."""

    name: str
    at: int
    signal: Signal
    kind: Kind = Kind.WORD
    bit: int = 0
    length: int = 0
    area: Area = Area.DB
    db: int = 1
    scale: float = 1
    unit: str = ""
    limits: Limits = None

    def cell(self) -> Cell:
        """Its bytes."""
        at = 2 * self.at if self.area in (Area.TIMERS, Area.COUNTERS) else self.at
        return Cell(at, self.signal, self.kind, self.bit, self.length)

    def entry(self) -> dict[str, object]:
        """The tag as a config document lists it."""
        entry: dict[str, object] = {
            "name": self.name,
            "address": self._written_address(),
            "data_type": self.kind.value[0],
            "scale": self.scale,
            "unit": self.unit,
        }
        return entry | write_rights(self.signal, self.limits)

    def _written_address(self) -> str:
        if self.area in (Area.TIMERS, Area.COUNTERS):
            return f"{_LETTERS[self.area]}{self.at}"
        if self.kind in (Kind.STRING, Kind.WSTRING):
            return f"DB{self.db}.{self.kind.value[0]}{self.at}.{self.length}"
        letters = f"DB{self.db}.DB" if self.area is Area.DB else _LETTERS[self.area]
        if self.kind is Kind.BOOL:
            return f"{letters}{'X' if self.area is Area.DB else ''}{self.at}.{self.bit}"
        return f"{letters}{_WIDTH_LETTERS.get(self.cell().size, 'D')}{self.at}"


FILLING_LINE: tuple[LineTag, ...] = (
    LineTag("running", 0, Square(period_s=60, duty=0.9), Kind.BOOL),
    LineTag("door_open", 0, Square(period_s=90, duty=0.05), Kind.BOOL, bit=1),
    LineTag("scan_number", 2, Unique(), Kind.DWORD),
    LineTag("tank_level", 6, RandomWalk(31, 5500, 9200), Kind.INT, scale=0.01, unit="%"),
    LineTag("temperature", 8, Sine(78, 4, 90), Kind.REAL, unit="°C"),
    LineTag("pressure", 12, RandomWalk(32, 2.1, 2.6), Kind.REAL, unit="bar"),
    LineTag("energy", 16, Ramp(8_400.25, 8_900.25, 3600), Kind.LREAL, unit="kWh"),
    LineTag("충전수량", 24, Counter(2, 480_000), Kind.DINT, unit="개"),
    LineTag("불량수량", 28, Counter(0.02, 51), Kind.DINT, unit="개"),
    LineTag("total_bottles", 32, Counter(2, 9_007_199_254_740_993), Kind.LINT, unit="개"),
    LineTag("recipe", 40, Cycle(("COLA-500", "LEMON-330", "WATER-500"), 120), Kind.STRING, length=20),
    LineTag("작업자", 62, Cycle(("김철수", "이영희", "박민준"), 300), Kind.WSTRING, length=12),
    LineTag("grade", 90, Cycle(("A", "B", "A"), 45), Kind.CHAR),
    LineTag("cycle_time", 92, RandomWalk(33, 480, 530), Kind.TIME, unit="ms"),
    LineTag("shift_start", 96, Constant(28_800_000), Kind.TIME_OF_DAY),
    LineTag("batch_date", 100, Constant(_START_S), Kind.DATE),
    LineTag("last_cleaning", 102, Counter(1, _START_S), Kind.DATE_AND_TIME),
    LineTag("clock", 110, Counter(1, _START_S), Kind.DTL),
    LineTag("fill_setpoint", 200, Setpoint(500.0, 200, 1000), Kind.REAL, unit="ml", limits=(200, 1000)),
    LineTag("speed_setpoint", 204, Setpoint(120, 30, 200), Kind.INT, unit="1/min", limits=(30, 200)),
    LineTag("lamp", 206, Setpoint(False), Kind.BOOL, bit=3),
    LineTag("emergency_stop", 0, Constant(False), Kind.BOOL, area=Area.INPUTS, db=0),
    LineTag("valve_1", 0, Square(period_s=2), Kind.BOOL, area=Area.OUTPUTS, db=0),
    LineTag("mode", 10, Cycle((1, 1, 2, 0), 30), area=Area.FLAGS, db=0),
    LineTag("drip_time", 0, Ramp(3000, 0, 3), Kind.S5TIME, area=Area.TIMERS, db=0, unit="ms"),
    LineTag("pallet", 0, Counter(0.1), Kind.COUNT, area=Area.COUNTERS, db=0),
)
"""The tags, in the order of the document."""


def demo_layout() -> Layout:
    """The filling line's memory: DB1, and the areas of a small CPU."""
    places = {(Area.DB, 1): _DB_SIZE} | {(area, 0): _AREA_SIZE for area in Area if area is not Area.DB}
    return {
        place: Block(size, tuple(tag.cell() for tag in FILLING_LINE if (tag.area, tag.db) == place))
        for place, size in places.items()
    }


def demo_device(
    host: str,
    port: int,
    *,
    device_id: str = "2",
    name: str = "충전라인_PLC_02",
    interval_ms: int = 1000,
    tags: Sequence[LineTag] = FILLING_LINE,
) -> dict[str, object]:
    """The device entry of a config document that reads the filling line at this address."""
    connection = {"host": host, "port": port, "rack": 0, "slot": 1}
    entries = [tag.entry() for tag in tags]
    return device_entry("s7", connection, entries, device_id=device_id, name=name, interval_ms=interval_ms)
