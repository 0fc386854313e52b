"""A small Fleet server: serves configs with ETags, registers edges by heartbeat, keeps the rows it would store."""

from simulators.fleet.faults import HttpFaults
from simulators.fleet.server import FleetServer

__all__ = ["FleetServer", "HttpFaults"]
