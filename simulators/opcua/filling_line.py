"""A filling line: one list of nodes, of which both the server's address space and the config document are made."""

from collections.abc import Sequence

from simulators.document import device_entry
from simulators.opcua.layout import Node
from simulators.signals import Constant, Counter, Cycle, Ramp, RandomWalk, Setpoint, Sine, Square

_VALVES = tuple(Square(period_s=4 + valve, duty=0.5) for valve in range(6))
_ZONES = tuple(Sine(82 + zone, 1.5, 60 + 7 * zone) for zone in range(4))

FILLING_LINE: tuple[Node, ...] = (
    Node("product_temperature", "Filler.Temperature", "Double", (Sine(74.2, 1.8, 90),), "°C"),
    Node("bowl_pressure", "Filler.Pressure", "Float", (RandomWalk(31, 2.1, 2.6),), "bar"),
    Node("bowl_level", "Filler.Level", "Float", (RandomWalk(32, 61, 78),), "%"),
    Node("충전량", "Filler.FillWeight", "Double", (RandomWalk(33, 499.2, 500.9),), "g"),
    Node("bottles", "Filler.Bottles", "UInt32", (Counter(4, 2_400_000),), "개"),
    Node("rejects", "Filler.Rejects", "UInt32", (Counter(0.02, 512),), "개"),
    Node("운전중", "Filler.Running", "Boolean", (Square(80, 0.92),), watched=True),
    Node("state", "Filler.State", "Int32", (Cycle((2, 2, 2, 5, 1), 20),), watched=True),
    Node("recipe", "Filler.Recipe", "String", (Cycle(("사과 500", "배 500", "COLA-330"), 150),), watched=True),
    Node("valves", "Filler.Valves", "Boolean", _VALVES),
    Node("speed_setpoint", "Filler.SpeedSetpoint", "Double", (Setpoint(240.0, 60.0, 300.0),), "bpm", limits=(60, 300)),
    Node("light", "Filler.Light", "Boolean", (Setpoint(True),)),
    Node("pasteuriser_zones", "Pasteuriser.Zones", "Float", _ZONES, "°C"),
    Node("pasteuriser_flow", "Pasteuriser.Flow", "Float", (RandomWalk(34, 11.2, 12.4),), "m³/h"),
    Node("energy", "Pasteuriser.Energy", "Double", (Ramp(88_120.5, 88_920.5, 3600),), "kWh"),
    Node("비상정지", "Line.EmergencyStop", "Boolean", (Constant(False),), watched=True),
)
"""The nodes, in the order of the document."""


def demo_layout() -> tuple[Node, ...]:
    """The filling line's nodes."""
    return FILLING_LINE


def demo_device(
    host: str,
    port: int,
    *,
    device_id: str = "2",
    name: str = "충전라인_OPCUA_01",
    interval_ms: int = 1000,
    nodes: Sequence[Node] = FILLING_LINE,
) -> dict[str, object]:
    """The device entry of a config document that reads the filling line at this address."""
    connection = {"endpoint": f"opc.tcp://{host}:{port}", "publishing_interval_ms": 250}
    entries = [node.entry() for node in nodes]
    return device_entry("opcua", connection, entries, device_id=device_id, name=name, interval_ms=interval_ms)
