"""The factory hall of the demo: two presses, and the cooling water and compressed air that they need."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from simulators.modbus import Kind, Layout, ModbusPlc, Order, Table, Unit, demo_device
from simulators.modbus.press_line import PRESS_LINE, LineTag
from simulators.modbus.signals import Counter, Cycle, Moment, Ramp, RandomWalk, Signal, SignalValue, Sine, Square
from simulators.stamps import stamp

EDGE_ID = "edge-demo-001"


@dataclass(frozen=True, slots=True)
class Ahead:
    """A signal that runs ahead of its time, so that two machines of a kind do not show the same values."""

    signal: Signal
    by_s: float

    def at(self, moment: Moment) -> SignalValue:
        return self.signal.at(Moment(moment.seconds + self.by_s, moment.read))


@dataclass(frozen=True, slots=True)
class Machine:
    """One device of the document; machines behind one PLC differ in their unit id."""

    device_id: str
    name: str
    tags: tuple[LineTag, ...]
    unit_id: int = 1
    interval_ms: int = 1000

    @property
    def unit(self) -> Unit:
        """Its registers."""
        return Unit(tuple(cell for tag in self.tags if (cell := tag.cell()) is not None))


def _ahead(tag: LineTag, by_s: float) -> LineTag:
    moves = isinstance(tag.signal, Sine | RandomWalk | Ramp | Counter | Cycle)
    return replace(tag, signal=Ahead(tag.signal, by_s)) if moves else tag


_CHILLER = (
    LineTag("공급온도", Table.INPUT, 0, Sine(121, 9, 40), Kind.INT16, scale=0.1, unit="°C"),
    LineTag("환수온도", Table.INPUT, 1, Sine(174, 14, 40), Kind.INT16, scale=0.1, unit="°C"),
    LineTag("유량", Table.INPUT, 2, RandomWalk(41, 31.5, 34.0, 3), Kind.FLOAT32, Order.CDAB, unit="m³/h"),
    LineTag("탱크수위", Table.INPUT, 4, RandomWalk(42, 6400, 8800), scale=0.01, unit="%"),
    LineTag("펌프운전", Table.DISCRETE, 0, Square(45, 0.8)),
)
_COMPRESSOR = (
    LineTag("토출압력", Table.HOLDING, 0, Sine(702, 28, 9), scale=0.01, unit="bar"),
    LineTag("모터회전수", Table.HOLDING, 1, RandomWalk(51, 2870, 2960, 2), unit="rpm"),
    LineTag("전력량", Table.HOLDING, 2, Ramp(48_210.0, 49_210.0, 3600), Kind.FLOAT64, unit="kWh"),
    LineTag("부하운전", Table.COIL, 0, Square(12, 0.6)),
)

PLCS: tuple[tuple[Machine, ...], ...] = (
    (Machine("1", "CASE프레스_PLC_01", PRESS_LINE),),
    (
        Machine("2", "CASE프레스_PLC_02", tuple(_ahead(tag, 3417) for tag in PRESS_LINE), interval_ms=500),
        Machine("3", "냉각수_칠러", _CHILLER, unit_id=7),
    ),
    (Machine("4", "공기압축기", _COMPRESSOR, unit_id=3, interval_ms=200),),
)
"""What is behind each PLC's port."""


class Hall:
    """``async with Hall() as hall``: the PLCs run, each on a free port of loopback."""

    def __init__(self) -> None:
        self.plcs = tuple(ModbusPlc(_layout(machines)) for machines in PLCS)
        self._stack = AsyncExitStack()

    def document(self) -> dict[str, object]:
        """What the Fleet server says about the hall."""
        return {
            "version": stamp(),
            "edge_id": EDGE_ID,
            "edge_name": "데모 공장",
            "devices": [
                demo_device(
                    plc.host,
                    plc.port,
                    device_id=machine.device_id,
                    name=machine.name,
                    unit_id=machine.unit_id,
                    interval_ms=machine.interval_ms,
                    tags=machine.tags,
                )
                for plc, machines in zip(self.plcs, PLCS, strict=True)
                for machine in machines
            ],
            "aggregation_interval_sec": 60,
            "local_retention_days": 7,
        }

    async def __aenter__(self) -> Self:
        for plc in self.plcs:
            await self._stack.enter_async_context(plc)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()


def units() -> Mapping[tuple[str, str], str]:
    """The engineering unit of each (device id, tag)."""
    machines = (machine for behind_one_port in PLCS for machine in behind_one_port)
    return {(machine.device_id, tag.name): tag.unit for machine in machines for tag in machine.tags}


def _layout(machines: tuple[Machine, ...]) -> Layout:
    return {machine.unit_id: machine.unit for machine in machines}
