"""A Modbus PLC of our own, written apart from the driver that it is there to try."""

from simulators.modbus.faults import Faults
from simulators.modbus.frames import TcpFraming
from simulators.modbus.layout import Cell, Layout, Table, Unit, row_of
from simulators.modbus.plc import ModbusPlc
from simulators.modbus.press_line import demo_device, demo_layout
from simulators.modbus.record import Record
from simulators.modbus.rtu import RtuFraming
from simulators.modbus.words import Kind, Order

__all__ = [
    "Cell",
    "Faults",
    "Kind",
    "Layout",
    "ModbusPlc",
    "Order",
    "Record",
    "RtuFraming",
    "Table",
    "TcpFraming",
    "Unit",
    "demo_device",
    "demo_layout",
    "row_of",
]
