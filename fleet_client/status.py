"""The bodies of the status topic: the heartbeat, the last will, the farewell."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass

from fleet_client.encoding import encoded


@dataclass(frozen=True, slots=True)
class BufferFigures:
    """The outbox in short: ``oldest`` is the stamp of the oldest message waiting."""

    messages: int
    bytes: int
    oldest: str | None
    dropped: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One device; ``since`` and ``last_good`` are stamps, ``remark`` is what it says of itself."""

    id: str
    name: str
    state: str
    since: str
    last_good: str | None = None
    error: str | None = None
    remark: str | None = None


@dataclass(frozen=True, slots=True)
class DevicesFigures:
    """The devices in short; ``all`` is given for the full heartbeat only."""

    total: int
    online: int
    trouble: tuple[DeviceFigures, ...] = ()
    all: tuple[DeviceFigures, ...] | None = None


@dataclass(frozen=True, slots=True)
class ConfigErrorFigures:
    """One part of the document that was refused."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ConfigErrorsFigures:
    """How many parts of the document were refused, and the first of them."""

    count: int
    first: tuple[ConfigErrorFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class ConditionFigures:
    """Something about the collector as a whole that somebody should know of."""

    code: str
    since: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusFields:
    """All that a heartbeat tells; what is None is left out. Nothing is cut short here."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    ip_address: str
    timestamp: str
    version: str
    uptime_sec: int
    status: str = "online"
    edge_name: str | None = None
    company_code: str | None = None
    config_version: str | None = None
    temperature_c: float | None = None
    buffer: BufferFigures | None = None
    devices: DevicesFigures | None = None
    config_errors: ConfigErrorsFigures | None = None
    conditions: tuple[ConditionFigures, ...] = ()
    events: tuple[Mapping[str, object], ...] | None = None
    """The last events, where the broker does not take them on their own topic."""


def heartbeat(sent: StatusFields) -> bytes:
    """The heartbeat's payload."""
    return encoded(_present(sent))


def last_will(company_code: str) -> bytes:
    """What the broker says for us when the connection breaks: no figures and no time, for it is written ahead."""
    return encoded({"status": "offline", "company_code": company_code, "reason": "connection_lost"})


def shutdown_status(company_code: str, timestamp: str) -> bytes:
    """What we say ourselves at a clean stop."""
    return encoded({"status": "offline", "company_code": company_code, "reason": "shutdown", "timestamp": timestamp})


def _present(figures: object) -> dict[str, object]:
    """A dataclass as an object without its None fields."""
    named = ((field.name, getattr(figures, field.name)) for field in fields(figures))  # type: ignore[arg-type]
    return {name: _plain(value) for name, value in named if value is not None}


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return _present(value) if is_dataclass(value) else value
