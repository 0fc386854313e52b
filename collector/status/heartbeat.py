"""The heartbeat: the board and the machine in one small message, at an interval and whenever a device changes."""

import asyncio
from collections.abc import Callable, Iterable

from collector import __version__
from collector.clock import Clock, iso_utc
from collector.status.board import Board, DeviceCondition, DeviceState
from collector.status.machine import Machine
from fleet_client.status import (
    BufferFigures,
    ConditionFigures,
    ConfigErrorFigures,
    ConfigErrorsFigures,
    DeviceFigures,
    DevicesFigures,
    StatusFields,
    heartbeat,
)

MAX_TROUBLE = 5
MAX_CONFIG_ERRORS = 5
MAX_TEXTS = (120, 60, 30)
MAX_BYTES = 1536
CHANGE_PAUSE_S = 1.0

_WORST_FIRST = (
    DeviceCondition.FAULTED,
    DeviceCondition.OFFLINE,
    DeviceCondition.REFUSED,
    DeviceCondition.DEGRADED,
    DeviceCondition.PAUSED,
)


class Heartbeat:
    """Makes the status payloads and hands them to `publish`; what becomes of them there is not its business."""

    def __init__(
        self,
        board: Board,
        machine: Machine,
        publish: Callable[[bytes], None],
        *,
        clock: Clock,
        company_code: str,
        interval_s: float,
        all_devices: bool,
    ) -> None:
        self._board = board
        self._machine = machine
        self._publish = publish
        self._clock = clock
        self._company_code = company_code
        self._interval_s = interval_s
        self._all_devices = all_devices
        self.beats = 0
        self._changed = asyncio.Event()
        board.on_change.append(lambda _: self._changed.set())

    async def run(self, after: asyncio.Event) -> None:
        """Beat for ever, from the moment `after` is set."""
        await after.wait()
        while True:
            self._changed.clear()
            self.beat()
            await self._pause()

    def beat(self) -> None:
        """Send one now."""
        self.beats += 1
        self._publish(self._payload())

    def fields(self, *, all_devices: bool, text: int | None = None) -> StatusFields:
        """The status as of now; with `all_devices` nothing is left out. Texts are cut to `text` characters."""
        board, figures = self._board, self._machine.figures()
        return StatusFields(
            cpu_percent=figures.cpu_percent,
            memory_percent=figures.memory_percent,
            disk_percent=figures.disk_percent,
            ip_address=figures.ip_address,
            timestamp=iso_utc(self._clock.wall_ms()),
            version=__version__,
            uptime_sec=int(board.uptime_s()),
            edge_name=None if board.config.edge_name is None else _cut(board.config.edge_name, text),
            company_code=self._company_code,
            config_version=None if board.config.version is None else _cut(board.config.version, text),
            temperature_c=figures.temperature_c,
            buffer=self._buffer(),
            devices=self._devices(all_devices, text),
            config_errors=self._config_errors(all_devices, text),
            conditions=tuple(
                ConditionFigures(held.code, iso_utc(held.since_ms), _cut(held.detail, text))
                for held in board.conditions.values()
            ),
            events=tuple(board.folded_events) or None,
        )

    def _payload(self) -> bytes:
        """In full, or small: the more trouble there is to tell, the shorter is each."""
        if self._all_devices:
            return heartbeat(self.fields(all_devices=True))
        for text in MAX_TEXTS:
            payload = heartbeat(self.fields(all_devices=False, text=text))
            if len(payload) <= MAX_BYTES:
                break
        return payload

    async def _pause(self) -> None:
        """The interval, or less when a device changes: then a moment for its companions to change too."""
        try:
            async with asyncio.timeout(self._interval_s):
                await self._changed.wait()
                await asyncio.sleep(CHANGE_PAUSE_S)
        except TimeoutError:
            pass

    def _buffer(self) -> BufferFigures:
        counts = self._board.buffer
        oldest = None if counts.oldest_ms is None else iso_utc(counts.oldest_ms)
        return BufferFigures(counts.messages, counts.bytes, oldest, counts.dropped, counts.acknowledged)

    def _devices(self, everything: bool, text: int | None) -> DevicesFigures:
        devices = self._board.devices.values()
        online = sum(device.condition is DeviceCondition.ONLINE for device in devices)
        trouble = tuple(_figures(device, text) for device in _worst(devices))
        everyone = tuple(_figures(device, text) for device in devices) if everything else None
        return DevicesFigures(len(devices), online, trouble, everyone)

    def _config_errors(self, everything: bool, text: int | None) -> ConfigErrorsFigures:
        problems = self._board.config.problems
        first = problems if everything else problems[:MAX_CONFIG_ERRORS]
        return ConfigErrorsFigures(
            len(problems),
            tuple(ConfigErrorFigures(p.path, p.code, _cut(p.message, text)) for p in first),
        )


def _worst(devices: Iterable[DeviceState]) -> list[DeviceState]:
    """Those in trouble: the worst first, and of the same trouble the newest first."""
    troubled = [device for device in devices if device.condition in _WORST_FIRST]
    troubled.sort(key=lambda device: (_WORST_FIRST.index(device.condition), -device.since_ms))
    return troubled[:MAX_TROUBLE]


def _figures(device: DeviceState, text: int | None) -> DeviceFigures:
    return DeviceFigures(
        _cut(device.id, text),
        _cut(device.name, text),
        device.condition.value,
        iso_utc(device.since_ms),
        None if device.last_good_ms is None else iso_utc(device.last_good_ms),
        None if device.error is None else _cut(device.error, text),
        None if device.remark is None else _cut(device.remark, text),
    )


def _cut(told: str, text: int | None) -> str:
    return told if text is None or len(told) <= text else told[: text - 1] + "…"
