"""Device plans for the scripted driver."""

from collections.abc import Sequence

from collector.config.plan import DevicePlan, Plan, PollGroup
from protocols.base import DataType, TagSpec
from tests.doubles.driver import ScriptedConnection, ScriptedDriver, scripted_points


def device_plan(
    driver: ScriptedDriver,
    addresses: Sequence[int],
    *,
    device_id: str = "1",
    host: str = "plc",
    unit: int = 1,
    interval_ms: int = 1000,
    slow: Sequence[int] = (),
    slow_ms: int = 5000,
) -> DevicePlan:
    """A device with a tag named after each address; those in `slow` are a second group."""
    connection = ScriptedConnection(host, unit)
    everything = [*addresses, *slow]
    groups = []
    for interval, chosen in ((interval_ms, list(addresses)), (slow_ms, list(slow))):
        if chosen:
            points = scripted_points(chosen)
            tags = tuple(everything.index(address) for address in chosen)
            groups.append(PollGroup(interval, tags, points, driver.compile(connection, points)))
    return DevicePlan(
        id=device_id,
        name=f"PLC {device_id}",
        protocol="scripted",
        connection=connection,
        groups=tuple(groups),
        names=tuple(f"t{address}" for address in everything),
        connection_id=device_id,
        equipment_id=None,
        request_delay_s=0.0,
        specs=tuple(TagSpec(f"t{address}", str(address), DataType.UINT16) for address in everything),
    )


def plan_of(*devices: DevicePlan) -> Plan:
    """A plan of just these devices."""
    return Plan("v", "edge-1", "엣지", devices, (), (), ())
