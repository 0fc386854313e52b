"""The one place where the collector's state is kept: every task writes its own part, everybody reads."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from collector.clock import Clock
from collector.status.durations import Durations

FOLDED_EVENTS = 3


class DeviceCondition(StrEnum):
    """A device's state, by its name on the wire."""

    ONLINE = "online"
    DEGRADED = "degraded"
    OFFLINE = "offline"
    PAUSED = "paused"
    DISABLED = "disabled"
    REFUSED = "refused"
    FAULTED = "faulted"


@dataclass(slots=True)
class DeviceState:
    """How one device does. Stamps are wall milliseconds; `error` is for the person who must act, `remark` what the
    device says of itself and what is doubtful about it.

    `failed` counts the failed polls by what failed them, `took` how long all polls took.

    Until its first poll ends it is not `known` how it does; it counts as offline.
    """

    id: str
    name: str
    condition: DeviceCondition
    since_ms: int
    last_good_ms: int | None = None
    error: str | None = None
    polls: int = 0
    missed: int = 0
    failures: int = 0
    requests_per_cycle: int = 0
    bad_tags: dict[str, str] = field(default_factory=dict)
    known: bool = True
    remark: str | None = None
    failed: dict[str, int] = field(default_factory=dict)
    took: Durations = field(default_factory=Durations)


@dataclass(slots=True)
class BrokerState:
    """How the broker connection does. `connects` counts the CONNACKs of this run, `unheard` the data nobody heard."""

    url: str = ""
    connected: bool = False
    since_ms: int = 0
    protocol: str | None = None
    connects: int = 0
    unheard: int = 0
    error: str | None = None


@dataclass(slots=True)
class BufferState:
    """The outbox's counts: recorded = acknowledged + messages + dropped, over this run and what it found."""

    messages: int = 0
    bytes: int = 0
    oldest_ms: int | None = None
    recorded: int = 0
    acknowledged: int = 0
    dropped: int = 0


@dataclass(slots=True)
class SinkState:
    """How a further way out does. `up`: its last delivery was acknowledged; `limit_bytes`: of its own outbox."""

    where: str
    limit_bytes: int
    up: bool = False
    since_ms: int = 0
    error: str | None = None
    buffer: BufferState = field(default_factory=BufferState)


@dataclass(frozen=True, slots=True)
class ConfigProblem:
    """A part of the document that was refused, with its JSON path."""

    path: str
    code: str
    message: str


@dataclass(slots=True)
class ConfigState:
    """Which document is in force and what of it was refused."""

    version: str | None = None
    edge_name: str | None = None
    source: str | None = None
    applied_ms: int | None = None
    problems: tuple[ConfigProblem, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something about the collector as a whole that somebody should know of."""

    code: str
    since_ms: int
    detail: str


class Conditions(Protocol):
    """Where somebody says what holds of the collector as a whole."""

    def raise_condition(self, code: str, detail: str) -> None: ...

    def clear_condition(self, code: str) -> None: ...


class Board:
    """All of the state. `on_change` callbacks run when a device changes its condition."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.started_ms = clock.wall_ms()
        self._started = clock.monotonic()
        self.broker = BrokerState(since_ms=self.started_ms)
        self.buffer = BufferState()
        self.sinks: dict[str, SinkState] = {}
        """The further ways out that are on, by name."""
        self.config = ConfigState()
        self.devices: dict[str, DeviceState] = {}
        self.conditions: dict[str, Condition] = {}
        self.folded_events: deque[Mapping[str, object]] = deque(maxlen=FOLDED_EVENTS)
        """The last events that the broker does not let us publish on their own topic."""
        self.on_change: list[Callable[[DeviceState], None]] = []

    def uptime_s(self) -> float:
        """Seconds since the start."""
        return self._clock.monotonic() - self._started

    def expect(self, device_id: str, name: str) -> None:
        """A device will be polled from now on; nobody is told before it is known how it does."""
        state = DeviceState(device_id, name, DeviceCondition.OFFLINE, self._clock.wall_ms(), error="not polled yet")
        state.known = False
        self.devices[device_id] = state

    def device(self, device_id: str, name: str, condition: DeviceCondition, error: str | None = None) -> None:
        """Say what state a device is in; a repetition only renews the error text."""
        known = self.devices.get(device_id)
        if known is None:
            known = DeviceState(device_id, name, condition, self._clock.wall_ms(), error=error)
            self.devices[device_id] = known
        else:
            known.name, known.error = name, error
            if known.condition is condition and known.known:
                return
            known.condition, known.since_ms, known.known = condition, self._clock.wall_ms(), True
        for notify in self.on_change:
            notify(known)

    def raise_condition(self, code: str, detail: str) -> None:
        """Say that a condition holds; its `since` stays that of the first time."""
        held = self.conditions.get(code)
        since_ms = held.since_ms if held else self._clock.wall_ms()
        self.conditions[code] = Condition(code, since_ms, detail)

    def clear_condition(self, code: str) -> None:
        """Say that a condition no longer holds."""
        self.conditions.pop(code, None)


class SinkConditions:
    """The conditions of one further way out: its name stands before each code."""

    def __init__(self, board: Board, name: str) -> None:
        self._board = board
        self._name = name

    def raise_condition(self, code: str, detail: str) -> None:
        """As of the board."""
        self._board.raise_condition(f"{self._name}_{code}", detail)

    def clear_condition(self, code: str) -> None:
        """As of the board."""
        self._board.clear_condition(f"{self._name}_{code}")
