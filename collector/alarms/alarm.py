"""An alarm: which limit was passed, since when, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from collector.clock import iso_utc


class Level(StrEnum):
    """Which limit; `away` is that of a device that gives no values."""

    LOW_LOW = "low_low"
    LOW = "low"
    HIGH = "high"
    HIGH_HIGH = "high_high"
    AWAY = "away"


class State(StrEnum):
    """`acknowledged` is an active alarm that somebody has seen; one that is over has left, seen or not."""

    RAISED = "raised"
    LEFT = "left"
    ACKNOWLEDGED = "acknowledged"


Source: TypeAlias = tuple[str, str | None, Level]
"""What an alarm can come from: a device, its tag, and a level. It has at most one active alarm."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """`value` is that of the latest change, None where there was none; `tag` and `limit` are None for `away`.

    Stamps are wall milliseconds; `since_ms` is when the limit was first passed, before the delay.
    """

    id: int
    device_id: str
    device_name: str
    tag: str | None
    level: Level
    state: State
    value: int | float | None
    limit: float | None
    since_ms: int
    left_ms: int | None = None
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None

    @property
    def source(self) -> Source:
        """Where it comes from."""
        return self.device_id, self.tag, self.level

    @property
    def active(self) -> bool:
        """Whether it still holds."""
        return self.state is not State.LEFT


def event_fields(alarm: Alarm, state: State) -> dict[str, object]:
    """The fields of an alarm's event; those that it has nothing for are left out."""
    fields: Mapping[str, object] = {
        "device_id": alarm.device_id,
        "tag": alarm.tag,
        "level": alarm.level,
        "state": state,
        "value": alarm.value,
        "limit": alarm.limit,
        "since": iso_utc(alarm.since_ms),
    }
    return {name: value for name, value in fields.items() if value is not None}
