"""Alarms: limits that are passed, devices that are away; raised, acknowledged, left, told, and kept over restarts."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Self

from collector.alarms.alarm import Alarm, Level, Source, State, event_fields
from collector.alarms.announcer import Announcer
from collector.alarms.errors import ThresholdsRefused, UnknownAlarm, UnknownTag
from collector.alarms.limits import Limit, check
from collector.alarms.records import Kept, Place, Records
from collector.alarms.watching import DeviceWatch, watch_device
from collector.clock import Clock
from collector.config.plan import DevicePlan, Plan, Thresholds
from collector.polling.scan import Scan
from collector.status.board import Board, DeviceCondition, DeviceState

Tell = Callable[[Mapping[str, object]], None]

SAME_WITHIN_S = 10.0
"""An alarm that comes back so soon is the same one, raised again."""
LEFT_KNOWN = 1_000
_RETRY_S = 60.0
_AWAY = frozenset({DeviceCondition.OFFLINE, DeviceCondition.FAULTED})


class Alarms:
    """Belongs to the event loop; made by `open`. Only tags with thresholds cost anything."""

    def __init__(self, records: Records, kept: Kept, *, tell: Tell, clock: Clock, board: Board) -> None:
        self._records = records
        self._clock = clock
        self._board = board
        self._own = dict(kept.thresholds)
        self._ids = count(kept.last_id + 1)
        self._active: dict[Source, Alarm] = {alarm.source: alarm for alarm in kept.active}
        self._left: OrderedDict[Source, tuple[Alarm, float]] = OrderedDict()
        self._devices: dict[str, DevicePlan] = {}
        self._watches: dict[str, DeviceWatch] = {}
        self._announcer = Announcer(lambda alarm, state: tell(event_fields(alarm, state)), clock.monotonic())
        self._wake = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, folder: Path, *, tell: Tell, clock: Clock, board: Board) -> AsyncIterator[Self]:
        """The alarms kept in a folder of their own; `tell` is given the fields of each event."""
        records = Records(folder, board)
        alarms = cls(records, await records.open(), tell=tell, clock=clock, board=board)
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(alarms._keep(), name="alarms")
            try:
                yield alarms
            finally:
                keeping.cancel()
                await records.close()

    # --- what is seen

    def look(self, scan: Scan) -> None:
        """Compare a scan with the limits of its tags. Values that are not good say nothing."""
        watch = self._watches.get(scan.device.id)
        if watch is None:
            return
        now = self._clock.monotonic()
        for place, tag, limits in watch.places(scan):
            value = scan.values[place]
            if isinstance(value, int | float) and place not in scan.bad:
                for limit in limits:
                    if change := limit.look(value, scan.stamp_ms, now):
                        self._passed(scan.device, tag, limit, change, value, scan.stamp_ms)

    def look_at(self, device: DeviceState) -> None:
        """Take note of a device's condition: away is an alarm of its own."""
        source = device.id, None, Level.AWAY
        if device.condition in _AWAY:
            if source not in self._active:
                self._raise(source, device.name, None, None, device.since_ms)
        else:
            self._leave(source, None, self._clock.wall_ms())

    def follow(self, plan: Plan) -> None:
        """Watch what the plan says from now on; alarms of what it no longer has are over."""
        known, self._devices = self._devices, {device.id: device for device in plan.devices}
        self._watches = {id_: watch for id_, watch in self._watches.items() if known[id_] == self._devices.get(id_)}
        for device in plan.devices:
            if known.get(device.id) != device:
                self._watch(device)
        self._leave_unwatched()

    # --- what is asked

    def active(self) -> list[Alarm]:
        """Those that hold, acknowledged or not, the newest first."""
        return sorted(self._active.values(), key=lambda alarm: (alarm.since_ms, alarm.id), reverse=True)

    async def history(self, start_ms: int, end_ms: int, limit: int = 1_000) -> list[Alarm]:
        """Those that began from `start_ms` to before `end_ms`, the newest first. Raises `StorageFailed`."""
        return await self._records.between(start_ms, end_ms, limit)

    def acknowledge(self, alarm_id: int, by: str) -> Alarm:
        """Note that somebody has seen an alarm; the first one who did stays. Raises `UnknownAlarm`."""
        known = (*self._active.values(), *(alarm for alarm, _ in self._left.values()))
        alarm = next((alarm for alarm in known if alarm.id == alarm_id), None)
        if alarm is None:
            raise UnknownAlarm(f"no alarm {alarm_id} is active, or left of late")
        if alarm.acknowledged_ms is not None:
            return alarm
        state = State.ACKNOWLEDGED if alarm.active else State.LEFT
        seen = replace(alarm, state=state, acknowledged_ms=self._clock.wall_ms(), acknowledged_by=by)
        if seen.active:
            self._active[seen.source] = seen
        else:
            self._left[seen.source] = seen, self._left[seen.source][1]
        self._changed(seen, State.ACKNOWLEDGED)
        return seen

    def thresholds(self, device_id: str, tag: str) -> Thresholds | None:
        """Those that hold: the document's, or else those set here."""
        return self._document_says(device_id, tag) or self._own.get((device_id, tag))

    def set_thresholds(self, device_id: str, tag: str, thresholds: Thresholds) -> None:
        """Set a tag's, for as long as the document names none. Raises `UnknownTag`, `ThresholdsRefused`."""
        device = self._device_to_change(device_id, tag)
        check(thresholds)
        self._set((device_id, tag), thresholds, device)

    def remove_thresholds(self, device_id: str, tag: str) -> None:
        """Remove what was set here. Raises `UnknownTag`, `ThresholdsRefused` where the document names them."""
        self._set((device_id, tag), None, self._device_to_change(device_id, tag))

    # --- inside

    def _set(self, place: Place, thresholds: Thresholds | None, device: DevicePlan) -> None:
        self._own.pop(place, None)
        if thresholds is not None:
            self._own[place] = thresholds
        self._records.note_thresholds(place, thresholds)
        self._watch(device)
        self._leave_unwatched()
        self._wake.set()

    def _device_to_change(self, device_id: str, tag: str) -> DevicePlan:
        device = self._devices.get(device_id)
        if device is None or tag not in device.names:
            raise UnknownTag(f"the configuration has no tag {tag!r} of a device {device_id!r}")
        if self._document_says(device_id, tag):
            raise ThresholdsRefused(f"the Fleet server names the thresholds of {tag!r}: change them there")
        return device

    def _document_says(self, device_id: str, tag: str) -> Thresholds | None:
        device = self._devices.get(device_id)
        return next((limits for name, limits in device.thresholds if name == tag), None) if device else None

    def _watch(self, device: DevicePlan) -> None:
        said = dict(device.thresholds)
        watch = watch_device(
            device, lambda tag: said.get(tag) or self._own.get((device.id, tag)), self._active.__contains__
        )
        self._watches.pop(device.id, None)
        if watch is not None:
            self._watches[device.id] = watch

    def _leave_unwatched(self) -> None:
        watched = {(id_, tag, limit.level) for id_, watch in self._watches.items() for tag, limit in watch.limits()}
        polled = {(id_, None, Level.AWAY) for id_ in self._devices}
        for source in self._active.keys() - watched - polled:
            self._leave(source, None, self._clock.wall_ms())

    def _passed(self, device: DevicePlan, tag: str, limit: Limit, change: State, value: float, stamp_ms: int) -> None:
        source = device.id, tag, limit.level
        if change is State.RAISED:
            self._raise(source, device.name, value, limit.limit, limit.since_ms)
        else:
            self._leave(source, value, stamp_ms)

    def _raise(self, source: Source, device_name: str, value: float | None, limit: float | None, since_ms: int) -> None:
        device_id, tag, level = source
        before, left_at = self._left.pop(source, (None, 0.0))
        if before is not None and self._clock.monotonic() - left_at < SAME_WITHIN_S:
            alarm = replace(before, state=State.RAISED, value=value, limit=limit, left_ms=None)
        else:
            id_ = next(self._ids)
            alarm = Alarm(id_, device_id, device_name, tag, level, State.RAISED, value, limit, since_ms)
        self._active[source] = alarm
        self._changed(alarm, State.RAISED)

    def _leave(self, source: Source, value: float | None, left_ms: int) -> None:
        alarm = self._active.pop(source, None)
        if alarm is None:
            return
        alarm = replace(alarm, state=State.LEFT, value=value, left_ms=left_ms)
        self._left[source] = alarm, self._clock.monotonic()
        self._left.move_to_end(source)
        while len(self._left) > LEFT_KNOWN:
            self._left.popitem(last=False)
        self._changed(alarm, State.LEFT)

    def _changed(self, alarm: Alarm, state: State) -> None:
        self._records.note(alarm)
        self._announcer.announce(alarm, state, self._clock.monotonic())
        self._wake.set()

    async def _keep(self) -> None:
        """Write what changed, and tell what was held back."""
        while True:
            if self._records.unwritten:
                await self._records.write()
            self._announcer.catch_up(self._clock.monotonic())
            self._show_flood()
            self._wake.clear()
            due_in = self._announcer.due_in(self._clock.monotonic())
            if self._records.unwritten:
                due_in = min(_RETRY_S, _RETRY_S if due_in is None else due_in)
            with suppress(TimeoutError):
                async with asyncio.timeout(due_in):
                    await self._wake.wait()

    def _show_flood(self) -> None:
        if waiting := self._announcer.waiting:
            self._board.raise_condition("alarm_flood", f"{waiting} alarms wait to be told: too many at a time")
        else:
            self._board.clear_condition("alarm_flood")
