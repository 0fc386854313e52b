"""What the page shows, and whom it asks for it. Nothing here knows HTTP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from collector.clock import Clock
from collector.config.in_force import InForce
from collector.config.plan import Thresholds
from collector.settings import Settings
from collector.status.board import Board
from collector.status.latest import Latest
from collector.status.machine import MachineFigures
from collector.status.recent import BufferTrace, RecentEvents, RecentLines
from protocols.base import Value


class Series(Protocol):
    """A stretch of a tag's history, an entry a window in every column; `resolution_s` 0 is raw: an entry a value.

    Figures are None where there was no good value; minimum, maximum and mean also where values are no numbers.
    """

    @property
    def resolution_s(self) -> int: ...
    @property
    def start_ms(self) -> Sequence[int]: ...
    @property
    def minimum(self) -> Sequence[float | None]: ...
    @property
    def maximum(self) -> Sequence[float | None]: ...
    @property
    def mean(self) -> Sequence[float | None]: ...
    @property
    def first(self) -> Sequence[Value | None]: ...
    @property
    def last(self) -> Sequence[Value | None]: ...
    @property
    def count(self) -> Sequence[int]: ...
    @property
    def good_share(self) -> Sequence[float]: ...


class Figures(Protocol):
    """What so many good values come to; None where there are none, or no numbers."""

    @property
    def counted(self) -> int: ...
    @property
    def minimum(self) -> float | None: ...
    @property
    def maximum(self) -> float | None: ...
    @property
    def mean(self) -> float | None: ...
    @property
    def first(self) -> Value | None: ...
    @property
    def last(self) -> Value | None: ...


class Total(Protocol):
    """A tag over a stretch of time, in one line."""

    @property
    def summary(self) -> Figures: ...
    @property
    def good_share(self) -> float: ...


class Depth(Protocol):
    """How far back each tier of the history really goes, and what it costs the disk."""

    @property
    def raw_since_ms(self) -> int | None: ...
    @property
    def windows_since_ms(self) -> int | None: ...
    @property
    def hours_since_ms(self) -> int | None: ...
    @property
    def days_since_ms(self) -> int | None: ...
    @property
    def bytes(self) -> int: ...
    @property
    def limit_bytes(self) -> int: ...
    @property
    def written_per_day_bytes(self) -> int | None: ...


class HistorySource(Protocol):
    """The history on disk. Stretches are half open; `aggregates` gives the site's hours or days, `totals` a line each,
    both of several tags of a device in their order.

    All of it may raise `StorageFailed`.
    """

    async def series(
        self,
        device_id: str,
        tag: str,
        start_ms: int,
        end_ms: int,
        *,
        max_points: int = 2000,
        resolution_s: int | None = None,
    ) -> Series: ...
    async def aggregates(
        self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int, *, per: Literal["hour", "day"] = "hour"
    ) -> Sequence[Series]: ...
    async def totals(self, device_id: str, tags: Sequence[str], start_ms: int, end_ms: int) -> Sequence[Total]: ...
    async def depth(self) -> Depth: ...


class Alarm(Protocol):
    """One alarm: `state` is raised, left or acknowledged; `tag` None is the device as a whole (level `away`)."""

    @property
    def id(self) -> int: ...
    @property
    def device_id(self) -> str: ...
    @property
    def device_name(self) -> str: ...
    @property
    def tag(self) -> str | None: ...
    @property
    def level(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def value(self) -> float | None: ...
    @property
    def limit(self) -> float | None: ...
    @property
    def since_ms(self) -> int: ...
    @property
    def left_ms(self) -> int | None: ...
    @property
    def acknowledged_ms(self) -> int | None: ...


class AlarmSource(Protocol):
    """The alarms. `active` are those that hold, the newest first. Raises `AlarmError` for what can not be done."""

    def active(self) -> Sequence[Alarm]: ...
    async def history(self, start_ms: int, end_ms: int, limit: int) -> Sequence[Alarm]: ...
    def acknowledge(self, alarm_id: int, by: str) -> Alarm: ...
    def thresholds(self, device_id: str, tag: str) -> Thresholds | None: ...
    def set_thresholds(self, device_id: str, tag: str, thresholds: Thresholds) -> None: ...
    def remove_thresholds(self, device_id: str, tag: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Sources:
    """All that is looked at. `history` and `alarms` are None where they are off."""

    settings: Settings
    clock: Clock
    board: Board
    latest: Latest
    in_force: Callable[[], InForce | None]
    figures: Callable[[], MachineFigures]
    heartbeats: Callable[[], int]
    events: RecentEvents
    lines: RecentLines
    buffer_trace: BufferTrace
    history: HistorySource | None = None
    alarms: AlarmSource | None = None
