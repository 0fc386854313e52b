"""What the API answers about the collector itself, field by field. Stamps are ISO 8601 in UTC."""

from dataclasses import dataclass, field

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be right; `reason` when it is not."""

    ok: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """`status`: ok, degraded (values flow, something is wrong), failing (nothing flows)."""

    status: str
    version: str
    uptime_sec: int
    checks: dict[str, Check]


@dataclass(frozen=True, slots=True)
class Liveness:
    """That there is an answer is the answer."""

    alive: bool = True


@dataclass(frozen=True, slots=True)
class Readiness:
    """Ready: a configuration is applied and the outbox can write."""

    ready: bool
    checks: dict[str, Check]


@dataclass(frozen=True, slots=True)
class BufferNow:
    """What waits for the broker; recorded = acknowledged + messages + dropped."""

    messages: int
    bytes: int
    oldest: str | None
    recorded: int
    acknowledged: int
    dropped: int
    limit_bytes: int


@dataclass(frozen=True, slots=True)
class BufferColumns:
    """The last day, the fullest moment of each stretch."""

    stamp_ms: list[int]
    messages: list[int]
    bytes: list[int]
    dropped: list[int]


@dataclass(frozen=True, slots=True)
class SinkNow:
    """A further way out, and what waits for it. `up`: it takes messages, since then; if not, `error` says why."""

    name: str
    where: str
    up: bool
    since: str
    error: str | None
    buffer: BufferNow


@dataclass(frozen=True, slots=True)
class Buffer:
    """The broker's buffer now, and how it was; and those of the further sinks."""

    now: BufferNow
    trace: BufferColumns
    sinks: list[SinkNow]


@dataclass(frozen=True, slots=True)
class Refused:
    """A part of the document that is not used."""

    path: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Noted:
    """A part of the document that was read leniently."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Config:
    """The document in force, secrets masked, and what became of it."""

    version: str | None
    source: str | None
    applied: str | None
    error: str | None
    refused: list[Refused]
    remarks: list[Noted]
    document: JsonValue


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; `fields` are those that the event has on MQTT."""

    number: int
    timestamp: str
    type: str
    fields: dict[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log."""

    level: str
    text: str


@dataclass(frozen=True, slots=True)
class HistoryDepth:
    """How far back each tier really goes. `written_per_day_bytes` null: not known yet."""

    raw_since: str | None
    windows_since: str | None
    hours_since: str | None
    days_since: str | None
    bytes: int
    limit_bytes: int
    written_per_day_bytes: int | None


@dataclass(frozen=True, slots=True)
class Broker:
    """The connection to the broker."""

    connected: bool
    since: str
    url: str
    protocol: str | None
    connects: int
    error: str | None


@dataclass(frozen=True, slots=True)
class ConfigBrief:
    """The configuration in a line."""

    version: str | None
    source: str | None
    applied: str | None
    refused: int
    error: str | None


@dataclass(frozen=True, slots=True)
class AlarmCounts:
    """Alarms that hold now, and those of them nobody has seen."""

    active: int
    unacknowledged: int


@dataclass(frozen=True, slots=True)
class Condition:
    """Something about the collector as a whole."""

    code: str
    since: str
    detail: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """The machine itself."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    temperature_c: float | None
    ip_address: str


@dataclass(frozen=True, slots=True)
class Status:
    """All of it at one look. `alarms` null and `history` false: off. `devices` counts by state."""

    edge_id: str
    edge_name: str | None
    version: str
    timestamp: str
    time_zone: str | None
    uptime_sec: int
    health: Health
    broker: Broker
    config: ConfigBrief
    devices: dict[str, int]
    tags: int
    buffer: BufferNow
    gateway: Gateway
    history: bool
    changes: bool
    alarms: AlarmCounts | None
    conditions: list[Condition] = field(default_factory=list)
