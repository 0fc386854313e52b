"""Tells in events how devices do: each change of state, and of one that flaps ever more rarely."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.clock import Clock
from collector.status.board import Board, DeviceCondition, DeviceState

REST_S = 10.0
REST_MAX_S = 600.0
_NO_NEWS = (DeviceCondition.ONLINE, DeviceCondition.DISABLED)


@dataclass(slots=True)
class _Told:
    condition: DeviceCondition | None
    rest_s: float
    rests_until: float


class DeviceEvents:
    """Sends a `device` event when a device changes its state.

    The first state after a start is told unless it is online or disabled: the heartbeat counts those. After an event
    a device rests for 10 s, twice as long each time that it changes before its rest is over, up to 10 minutes; then
    its state as it is by then is told, if it is another one. One that keeps its state through a rest is calm again.
    """

    def __init__(self, board: Board, tell: Callable[[str, Mapping[str, object]], None], clock: Clock) -> None:
        self._board = board
        self._tell = tell
        self._clock = clock
        self._told: dict[str, _Told] = {}
        self._unsettled: set[str] = set()
        self._news = asyncio.Event()
        board.on_change.append(self._notice)

    async def run(self) -> None:
        """Tell what changed during a rest when that is over, for ever."""
        while True:
            self._news.clear()
            due = min((self._told[device].rests_until for device in self._unsettled), default=None)
            delay_s = None if due is None else max(due - self._clock.monotonic(), 0.0)
            try:
                async with asyncio.timeout(delay_s):
                    await self._news.wait()
            except TimeoutError:
                self._tell_rested()

    def _notice(self, device: DeviceState) -> None:
        told = self._told.get(device.id)
        if told is None:
            told = self._told[device.id] = _Told(None, REST_S, float("-inf"))
            if device.condition in _NO_NEWS:
                told.condition = device.condition
        if self._clock.monotonic() < told.rests_until:
            self._unsettled.add(device.id)
            self._news.set()
        else:
            self._settle(device, told, REST_S)

    def _tell_rested(self) -> None:
        now = self._clock.monotonic()
        for device_id in [each for each in self._unsettled if self._told[each].rests_until <= now]:
            self._unsettled.discard(device_id)
            device, told = self._board.devices.get(device_id), self._told[device_id]
            if device is None:  # no longer in the document
                del self._told[device_id]
            else:
                self._settle(device, told, min(told.rest_s * 2, REST_MAX_S))

    def _settle(self, device: DeviceState, told: _Told, rest_s: float) -> None:
        if device.condition is not told.condition:
            fields = {"device_id": device.id, "name": device.name, "state": device.condition, "error": device.error}
            self._tell("device", fields)
            told.condition = device.condition
        elif rest_s == REST_S:
            return
        told.rest_s, told.rests_until = rest_s, self._clock.monotonic() + rest_s
