"""What a config document says of a simulated device."""

from collections.abc import Mapping, Sequence

from simulators.signals import Setpoint, Signal

Limits = tuple[float, float] | None


def device_entry(
    protocol: str,
    connection: Mapping[str, object],
    tags: Sequence[Mapping[str, object]],
    *,
    device_id: str,
    name: str,
    interval_ms: int,
) -> dict[str, object]:
    """An entry of `devices`."""
    return {
        "id": device_id,
        "name": name,
        "protocol": protocol,
        "connection": dict(connection),
        "interval_ms": interval_ms,
        "enabled": True,
        "tags": list(tags),
    }


def write_rights(signal: Signal, limits: Limits) -> dict[str, object]:
    """The fields of a tag that may be written: a setpoint, within its limits where it has some."""
    if limits is not None:
        return {"writable": True, "write_min": limits[0], "write_max": limits[1]}
    return {"writable": True} if isinstance(signal, Setpoint) else {}
