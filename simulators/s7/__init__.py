"""A Siemens S7 CPU of our own, written apart from the driver, and from the library, that it is there to try."""

from simulators.s7.faults import Faults
from simulators.s7.filling_line import demo_device, demo_layout
from simulators.s7.layout import Area, Block, Cell, Kind, Layout
from simulators.s7.plc import S7Plc
from simulators.s7.record import Record

__all__ = [
    "Area",
    "Block",
    "Cell",
    "Faults",
    "Kind",
    "Layout",
    "Record",
    "S7Plc",
    "demo_device",
    "demo_layout",
]
