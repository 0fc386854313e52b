"""Scans as polling would deliver them, without polling."""

from collections.abc import Mapping, Sequence

from collector.config.plan import DevicePlan, PollGroup, Thresholds
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.driver import ScriptedConnection


def plain_device(
    names: Sequence[str],
    *,
    device_id: str = "1",
    interval_ms: int = 1000,
    thresholds: Mapping[str, Thresholds] | None = None,
) -> DevicePlan:
    """A device of one group."""
    group = PollGroup(interval_ms, tuple(range(len(names))), (), ())
    return DevicePlan(
        id=device_id,
        name=f"PLC {device_id}",
        protocol="scripted",
        connection=ScriptedConnection("plc", 1),
        groups=(group,),
        names=tuple(names),
        connection_id=device_id,
        equipment_id=None,
        request_delay_s=0.0,
        thresholds=tuple((thresholds or {}).items()),
    )


def scan_of(
    device: DevicePlan, stamp_ms: int, values: Sequence[Value | None], bad: Mapping[int, Quality] | None = None
) -> Scan:
    """All tags of the device; what has no value and no reason in `bad` timed out."""
    missing = {place: Quality.TIMEOUT for place, value in enumerate(values) if value is None}
    return Scan(device, stamp_ms, device.names, list(values), {**missing, **(bad or {})})
