"""A driver whose device is a dictionary: its faults are scripted, its requests are counted, its time is the loop's."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from protocols.base import NO_LESSONS, Cycle, Lessons, PlcDriver, PlcSession, TagSpec, Write
from protocols.errors import ConnectFailed, RequestRefused, SessionError
from protocols.quality import Quality


@dataclass(frozen=True, slots=True)
class ScriptedConnection:
    host: str
    unit: int = 1
    timeout_s: float = 3.0

    @property
    def link(self) -> tuple[str | int, ...]:
        return ("scripted", self.host)

    @property
    def where(self) -> str:
        return f"{self.host} unit {self.unit}"


@dataclass(frozen=True, slots=True)
class ScriptedPoint:
    address: int


@dataclass(frozen=True, slots=True)
class ScriptedRequest:
    unit: int
    first: int
    last: int
    tags: tuple[int, ...]
    addresses: tuple[int, ...]

    @property
    def subject(self) -> str:
        return f"addresses {self.first}-{self.last}"


@dataclass(slots=True)
class ScriptedDevice:
    """What the device holds and how it misbehaves. Every value read is its address unless `values` says more."""

    values: dict[int, int] = field(default_factory=dict)
    unreadable: set[int] = field(default_factory=set)
    refusal: RequestRefused | None = None
    most_at_once: int | None = None
    answer_s: float = 0.0
    silent_units: dict[int, SessionError] = field(default_factory=dict)
    refuse_connections: bool = False
    connect_s: float = 0.0
    break_reads: SessionError | None = None
    break_writes: SessionError | None = None
    crash: Exception | None = None
    sessions: int = 0
    most_sessions: int = 0
    connects: int = 0
    reads: list[ScriptedRequest] = field(default_factory=list)
    read_times: list[float] = field(default_factory=list)


class ScriptedSession:
    def __init__(self, device: ScriptedDevice) -> None:
        self._device = device
        self._open = True

    @property
    def erased(self) -> PlcSession:
        return cast(PlcSession, self)

    async def read(self, request: ScriptedRequest, cycle: Cycle) -> None:
        device = self._device
        device.reads.append(request)
        device.read_times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(device.answer_s)
        if device.crash:
            raise device.crash
        if (silence := device.silent_units.get(request.unit)) is not None:
            await asyncio.sleep(3.0)
            raise silence
        if device.break_reads:
            raise device.break_reads
        span = range(request.first, request.last + 1)
        if device.most_at_once and len(span) > device.most_at_once:
            raise RequestRefused(Quality.BAD_ADDRESS, f"too many in {request.subject}", isolate=True)
        if device.unreadable.intersection(span):
            raise device.refusal or RequestRefused(
                Quality.BAD_ADDRESS, f"illegal data address in {request.subject}", isolate=True
            )
        for tag, address in zip(request.tags, request.addresses, strict=True):
            cycle.values[tag] = device.values.get(address, address)

    async def write(self, write: Write) -> None:
        if self._device.break_writes:
            raise self._device.break_writes

    async def close(self) -> None:
        if self._open:
            self._device.sessions -= 1
        self._open = False


class ScriptedDriver:
    """Merges addresses with gaps of up to `max_gap`; `devices` by host."""

    protocol = "scripted"
    default_port = None
    probe_address = "7"

    def __init__(self, max_gap: int = 0) -> None:
        self.devices: dict[str, ScriptedDevice] = {}
        self.max_gap = max_gap

    @property
    def erased(self) -> PlcDriver:
        return cast(PlcDriver, self)

    def device(self, host: str) -> ScriptedDevice:
        return self.devices.setdefault(host, ScriptedDevice())

    def connection(self, fields: Mapping[str, object], timeout_s: float) -> ScriptedConnection:
        return ScriptedConnection(str(fields["host"]), timeout_s=timeout_s)

    def fits(self, address: str) -> bool:
        return address.isdigit()

    def point(self, tag: TagSpec, connection: ScriptedConnection) -> ScriptedPoint:
        return ScriptedPoint(int(tag.address))

    def compile(
        self, connection: ScriptedConnection, points: Sequence[ScriptedPoint], lessons: Lessons = NO_LESSONS
    ) -> tuple[ScriptedRequest, ...]:
        blocks: list[list[tuple[int, int]]] = []
        avoided = {points[tag].address for tag in lessons.avoid}
        for address, tag in sorted((point.address, tag) for tag, point in enumerate(points)):
            if tag in lessons.avoid:
                continue
            last = blocks[-1][-1][0] if blocks else None
            gap = range(last + 1, address) if last is not None else range(0)
            if last is None or len(gap) > self.max_gap or tag in lessons.breaks or avoided.intersection(gap):
                blocks.append([])
            blocks[-1].append((address, tag))
        return tuple(
            ScriptedRequest(
                connection.unit,
                block[0][0],
                block[-1][0],
                tuple(tag for _, tag in block),
                tuple(address for address, _ in block),
            )
            for block in blocks
        )

    async def connect(self, connection: ScriptedConnection) -> ScriptedSession:
        device = self.device(connection.host)
        device.connects += 1
        await asyncio.sleep(device.connect_s)
        if device.refuse_connections:
            raise ConnectFailed(f"{connection.host} refused the connection")
        device.sessions += 1
        device.most_sessions = max(device.most_sessions, device.sessions)
        return ScriptedSession(device)


def scripted_points(addresses: Sequence[int]) -> tuple[ScriptedPoint, ...]:
    """Points at these addresses."""
    return tuple(ScriptedPoint(address) for address in addresses)
