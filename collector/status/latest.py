"""The newest reading of every tag, for those who look at the collector from within."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from collector.clock import Clock
from protocols.base import Value
from protocols.quality import Quality

MAX_KEPT = 32


class SeenDevice(Protocol):
    """The part of a device's plan that is of interest here."""

    @property
    def id(self) -> str: ...


class Seen(Protocol):
    """A poll cycle, as polling's `Scan` has it."""

    @property
    def device(self) -> SeenDevice: ...
    @property
    def stamp_ms(self) -> int: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def values(self) -> Sequence[Value | None]: ...
    @property
    def bad(self) -> Mapping[int, Quality]: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a tag gave when it was last due. `quality` None is good; a value beside a quality is uncertain."""

    value: Value | None
    quality: Quality | None
    stamp_ms: int


@dataclass(slots=True)
class _Kept:
    """The newest cycle of each set of tags, in the order in which they came."""

    plan: SeenDevice
    cycles: dict[tuple[str, ...], Seen] = field(default_factory=dict)


class Latest:
    """Keeps cycles, not values: `look` is one dict entry a cycle; readings are made when somebody asks.

    `devices` are those there are now (the board's): what is in it no longer is forgotten.
    """

    def __init__(self, devices: Mapping[str, object], clock: Clock) -> None:
        self._devices = devices
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._good_at: float | None = None

    def look(self, scan: Seen) -> None:
        """Take note of a cycle."""
        kept = self._kept.get(scan.device.id)
        if kept is None or kept.plan is not scan.device:
            kept = self._begin(scan.device)
        kept.cycles.pop(scan.names, None)
        kept.cycles[scan.names] = scan
        if len(kept.cycles) > MAX_KEPT:
            kept.cycles = {cycle.names: cycle for cycle in _newest_of_some_tag(kept.cycles)}
        if len(scan.bad) < len(scan.names):
            self._good_at = self._clock.monotonic()

    def of(self, device_id: str) -> Mapping[str, Reading]:
        """The readings of a device by tag; none of a tag that was not due yet."""
        readings: dict[str, Reading] = {}
        for cycle in self.cycles(device_id):
            for position, name in enumerate(cycle.names):
                readings[name] = Reading(cycle.values[position], cycle.bad.get(position), cycle.stamp_ms)
        return readings

    def cycles(self, device_id: str) -> Sequence[Seen]:
        """The newest cycles of a device, each of other tags, the latest last."""
        kept = self._kept.get(device_id)
        return tuple(kept.cycles.values()) if kept is not None and device_id in self._devices else ()

    def quiet_s(self) -> float | None:
        """Seconds since any device gave a good value; None if none ever did."""
        return None if self._good_at is None else self._clock.monotonic() - self._good_at

    def _begin(self, plan: SeenDevice) -> _Kept:
        for gone in self._kept.keys() - self._devices.keys():
            del self._kept[gone]
        kept = self._kept[plan.id] = _Kept(plan)
        return kept


def _newest_of_some_tag(cycles: Mapping[tuple[str, ...], Seen]) -> list[Seen]:
    """Those that are the newest of at least one of their tags, in the same order."""
    seen: set[str] = set()
    newest: list[Seen] = []
    for cycle in reversed(list(cycles.values())):
        if not seen.issuperset(cycle.names):
            newest.append(cycle)
            seen.update(cycle.names)
    return newest[::-1]
