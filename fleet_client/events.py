"""The bodies of the events topic: ``{"type": …, "timestamp": …, …}``. Stamps are ISO 8601 in UTC."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from fleet_client.encoding import encoded

GapReason: TypeAlias = Literal["limit", "refused", "corrupt", "storage", "cleared"]
AlarmState: TypeAlias = Literal["raised", "left", "acknowledged"]
ConfigState: TypeAlias = Literal["applied", "refused", "rolled_back"]


def gap_event(
    timestamp: str,
    *,
    epoch: str,
    from_seq: int,
    to_seq: int,
    count: int,
    from_time: str | None,
    to_time: str | None,
    reason: GapReason,
) -> bytes:
    """Messages ``from_seq`` to ``to_seq`` of an epoch, ``count`` of them, will never come."""
    return _event(
        "gap",
        timestamp,
        {
            "epoch": epoch,
            "from_seq": from_seq,
            "to_seq": to_seq,
            "count": count,
            "from": from_time,
            "to": to_time,
            "reason": reason,
        },
    )


def restart_event(timestamp: str, *, previous_epoch: str, last_recorded_seq: int) -> bytes:
    """The collector is back after a stop that was not clean; ``last_recorded_seq`` is the last one it knows of."""
    return _event("restart", timestamp, {"previous_epoch": previous_epoch, "last_recorded_seq": last_recorded_seq})


def drained_event(timestamp: str, *, epoch: str, to_seq: int) -> bytes:
    """Everything up to ``to_seq`` that waited has been acknowledged."""
    return _event("drained", timestamp, {"epoch": epoch, "to_seq": to_seq})


def alarm_event(
    timestamp: str,
    *,
    device_id: str,
    tag: str,
    level: str,
    state: AlarmState,
    value: float | None,
    limit: float | None,
    since: str,
) -> bytes:
    """A limit was passed, left or acknowledged."""
    return _event(
        "alarm",
        timestamp,
        {
            "device_id": device_id,
            "tag": tag,
            "level": level,
            "state": state,
            "value": value,
            "limit": limit,
            "since": since,
        },
    )


def device_event(timestamp: str, *, device_id: str, name: str, state: str, error: str | None) -> bytes:
    """A device changed its state."""
    return _event("device", timestamp, {"device_id": device_id, "name": name, "state": state, "error": error})


def config_event(
    timestamp: str, *, version: str | None, state: ConfigState, errors: Sequence[Mapping[str, str]] = ()
) -> bytes:
    """A document was applied, refused or taken back; an error is {``path``, ``code``, ``message``}."""
    return _event("config", timestamp, {"version": version, "state": state, "errors": list(errors)})


def clock_step_event(timestamp: str, *, by_sec: float) -> bytes:
    """The wall clock was set, forward or back."""
    return _event("clock_step", timestamp, {"by_sec": by_sec})


def _event(kind: str, timestamp: str, content: Mapping[str, object]) -> bytes:
    return encoded({"type": kind, "timestamp": timestamp, **content})
