"""What the API answers, field by field. Stamps are ISO 8601 in UTC, columns of stamps milliseconds since 1970."""

from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not answered, and what to do about it."""

    detail: str


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of a route: the statuses that come with a `Refusal`."""
    return {status: {"model": Refusal} for status in statuses}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device stands."""

    factory: str | None
    building: str | None
    floor: str | None
    zone: str | None


@dataclass(frozen=True, slots=True)
class Device:
    """A device and how it does. `tags` and `bad_tags` are counts."""

    id: str
    name: str
    protocol: str
    endpoint: str
    location: Place
    interval_ms: int
    state: str
    since: str
    last_good: str | None
    error: str | None
    remark: str | None
    tags: int
    bad_tags: int
    polls: int
    failures: int
    missed: int
    requests_per_cycle: int


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a tag's alarms, in its unit."""

    low_low: float | None
    low: float | None
    high: float | None
    high_high: float | None
    hysteresis: float
    delay_sec: float


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag as the document has it. `thresholds` are those in force."""

    device_id: str
    device_name: str
    tag: str
    address: str | None
    expression: str | None
    data_type: str | None
    unit: str
    description: str | None
    interval_ms: int
    thresholds: Limits | None


@dataclass(frozen=True, slots=True)
class Value:
    """The newest value of a tag. `quality` is good, or why there is none; `threshold` normal, or the alarm's level."""

    device_id: str
    device_name: str
    tag: str
    value: JsonValue
    unit: str
    quality: str
    timestamp: str | None
    age_sec: float | None
    threshold: str | None


@dataclass(frozen=True, slots=True)
class Points:
    """Windows of a tag: an entry each in every column. Raw values have a count of 1 and equal figures."""

    start_ms: list[int]
    min: list[float | None]
    max: list[float | None]
    mean: list[float | None]
    first: list[JsonValue]
    last: list[JsonValue]
    count: list[int]
    good_share: list[float]


@dataclass(frozen=True, slots=True)
class History:
    """A stretch of a tag's history; `resolution_sec` 0 is raw."""

    device_id: str
    tag: str
    unit: str
    start_time: str
    end_time: str
    resolution_sec: int
    points: Points


@dataclass(frozen=True, slots=True)
class Summary:
    """A stretch of a tag's history in one line. `good_share` is the part of the time, since there is a history, that
    good values stand for."""

    device_id: str
    device_name: str
    tag: str
    unit: str
    count: int
    min: float | None
    max: float | None
    mean: float | None
    first: JsonValue
    last: JsonValue
    good_share: float


@dataclass(frozen=True, slots=True)
class Window:
    """An hour or a day of the site."""

    start: str
    count: int
    min: float | None
    max: float | None
    mean: float | None
    good_share: float


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A tag's hours or days."""

    device_id: str
    device_name: str
    tag: str
    unit: str
    windows: list[Window]


@dataclass(frozen=True, slots=True)
class Location:
    """A place and the devices there."""

    location: Place
    devices: list[str]
    tags: int
    online: int


@dataclass(frozen=True, slots=True)
class Threshold:
    """The limits of one tag; `source`: the document (which then can not be overruled here) or local."""

    device_id: str
    tag: str
    source: str
    limits: Limits


@dataclass(frozen=True, slots=True)
class Alarm:
    """`state`: raised, left, acknowledged. `tag` null is the device as a whole, `level` then away."""

    id: str
    device_id: str
    device_name: str
    tag: str | None
    level: str
    state: str
    value: float | None
    limit: float | None
    unit: str
    since: str
    left: str | None
    acknowledged: str | None
