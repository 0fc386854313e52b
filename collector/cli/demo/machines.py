"""The machines of the demo: a device of each protocol, with names as Korean factories give them."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from collector.cli.demo.child import OpcUaProcess
from simulators import modbus, s7, xgt
from simulators.modbus import Kind, ModbusPlc, Table, Unit
from simulators.modbus.press_line import PRESS_LINE, LineTag
from simulators.opcua import filling_line
from simulators.s7 import S7Plc
from simulators.s7.filling_line import FILLING_LINE
from simulators.signals import Ramp, RandomWalk, Sine, Square
from simulators.xgt import XgtPlc
from simulators.xgt.assembly_line import ASSEMBLY_LINE


class Listening(Protocol):
    """A simulator that runs."""

    @property
    def host(self) -> str: ...

    @property
    def port(self) -> int: ...


class Tag(Protocol):
    """What the lists of all simulators have in common."""

    @property
    def name(self) -> str: ...

    @property
    def unit(self) -> str: ...


class Describe(Protocol):
    """Makes the device entry of the config document."""

    def __call__(self, host: str, port: int, *, device_id: str, name: str) -> dict[str, object]: ...


@dataclass(frozen=True, slots=True)
class Machine:
    """One device of the document. `units` has the engineering unit of each tag; what has no `start` runs already."""

    device_id: str
    name: str
    protocol: str
    units: Mapping[str, str]
    describe: Describe
    start: Callable[[], AbstractAsyncContextManager[Listening]] | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of this machine, as the config document asks for it."""

    name: str
    address: str
    unit: str = ""
    scale: float = 1

    def entry(self) -> dict[str, object]:
        """The tag as a config document lists it."""
        return {"name": self.name, "address": self.address, "unit": self.unit, "scale": self.scale}


_BOTTLING = tuple(tag for tag in FILLING_LINE if tag.name != "total_bottles")  # too long a number for a narrow column
_COMPRESSOR_UNIT = 3
_COMPRESSOR = (
    LineTag("토출압력", Table.HOLDING, 0, Sine(702, 28, 9), scale=0.01, unit="bar"),
    LineTag("모터회전수", Table.HOLDING, 1, RandomWalk(51, 2870, 2960, 2), unit="rpm"),
    LineTag("전력량", Table.HOLDING, 2, Ramp(48_210.0, 49_210.0, 3600), Kind.FLOAT64, unit="kWh"),
    LineTag("부하운전", Table.COIL, 0, Square(12, 0.6)),
)
_GATEWAY = (
    Figure("CPU사용률", "cpu.percent", "%"),
    Figure("부하_1분", "load.1"),
    Figure("메모리사용률", "memory.percent", "%"),
    Figure("메모리여유", "memory.available", "MiB", 2**-20),
    Figure("디스크사용률", "disk./.percent", "%"),
    Figure("가동시간", "uptime", "s"),
)


def _compressor() -> ModbusPlc:
    cells = tuple(cell for tag in _COMPRESSOR if (cell := tag.cell()) is not None)
    return ModbusPlc({_COMPRESSOR_UNIT: Unit(cells)})


def _gateway(host: str, port: int, *, device_id: str, name: str) -> dict[str, object]:
    return {
        "id": device_id,
        "name": name,
        "protocol": "host",
        "interval_ms": 2000,
        "enabled": True,
        "tags": [figure.entry() for figure in _GATEWAY],
    }


def _units(tags: Iterable[Tag]) -> Mapping[str, str]:
    return {tag.name: tag.unit for tag in tags}


MACHINES: tuple[Machine, ...] = (
    Machine(
        "1",
        "CASE프레스_PLC_01",
        "Modbus TCP",
        _units(PRESS_LINE),
        modbus.demo_device,
        lambda: ModbusPlc(modbus.demo_layout()),
    ),
    Machine(
        "2",
        "공기압축기",
        "Modbus TCP",
        _units(_COMPRESSOR),
        partial(modbus.demo_device, unit_id=_COMPRESSOR_UNIT, interval_ms=200, tags=_COMPRESSOR),
        _compressor,
    ),
    Machine(
        "3",
        "충전라인_S7_02",
        "S7",
        _units(_BOTTLING),
        partial(s7.demo_device, tags=_BOTTLING),
        lambda: S7Plc(s7.demo_layout()),
    ),
    Machine(
        "4",
        "조립라인_XGT_03",
        "XGT",
        _units(ASSEMBLY_LINE),
        partial(xgt.demo_device, interval_ms=500),
        lambda: XgtPlc(xgt.demo_memory()),
    ),
    Machine(
        "5",
        "음료라인_OPCUA_04",
        "OPC-UA",
        _units(filling_line.FILLING_LINE),
        filling_line.demo_device,
        OpcUaProcess,
    ),
    Machine("6", "현장_게이트웨이", "host", _units(_GATEWAY), _gateway),
)
"""In the order of the document."""
