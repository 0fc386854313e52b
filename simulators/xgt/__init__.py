"""An LS XGT PLC of our own, written apart from the driver that it is there to try."""

from simulators.xgt.assembly_line import demo_device, demo_memory
from simulators.xgt.families import Family, family_of
from simulators.xgt.faults import Faults
from simulators.xgt.memory import Cell, Memory
from simulators.xgt.plc import XgtPlc
from simulators.xgt.record import Record

__all__ = ["Cell", "Family", "Faults", "Memory", "Record", "XgtPlc", "demo_device", "demo_memory", "family_of"]
