"""An OPC-UA server with process-like values, on asyncua's server."""

from simulators.opcua.faults import Faults
from simulators.opcua.filling_line import demo_device, demo_layout
from simulators.opcua.layout import Node
from simulators.opcua.plc import OpcUaPlc

__all__ = ["Faults", "Node", "OpcUaPlc", "demo_device", "demo_layout"]
