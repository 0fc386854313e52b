"""What the page shows, and whom it asks for it. Nothing here knows HTTP."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from collector.clock import Clock
from collector.config.sync import InForce
from collector.settings import Settings
from collector.status.board import Board
from collector.status.latest import Latest
from collector.status.machine import MachineFigures
from collector.status.recent import BufferTrace, RecentEvents, RecentLines
from fleet_client.document import Thresholds


class Columns(Protocol):
    """Windows of a tag, one entry each in every column; raw values have a count of 1 and equal figures."""

    @property
    def start_ms(self) -> Sequence[int]: ...
    @property
    def minimum(self) -> Sequence[float | None]: ...
    @property
    def maximum(self) -> Sequence[float | None]: ...
    @property
    def mean(self) -> Sequence[float | None]: ...
    @property
    def first(self) -> Sequence[float | None]: ...
    @property
    def last(self) -> Sequence[float | None]: ...
    @property
    def count(self) -> Sequence[int]: ...
    @property
    def good_share(self) -> Sequence[float]: ...


class Series(Protocol):
    """A stretch of a tag's history; `resolution_s` 0 is raw."""

    @property
    def resolution_s(self) -> int: ...
    @property
    def columns(self) -> Columns: ...


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
    """The history on disk. Stretches are half open: a window that begins at `end_ms` is not in it."""

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
    async def depth(self) -> Depth: ...


class Alarm(Protocol):
    """One alarm: `state` is raised, left or acknowledged; `tag` None is the device as a whole (level `away`)."""

    @property
    def id(self) -> str | int: ...
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
    """The alarms. `acknowledge` raises `KeyError` for an id that there is not."""

    def active(self) -> Sequence[Alarm]: ...
    async def history(self, start_ms: int, end_ms: int, limit: int) -> Sequence[Alarm]: ...
    def acknowledge(self, alarm_id: str, by: str) -> Alarm: ...
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
