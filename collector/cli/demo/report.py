"""What the collector's process tells the demo of itself, several times a second: a line of JSON each."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self, cast

import orjson
from pydantic import JsonValue, TypeAdapter

from collector.app import Collector
from collector.polling.scan import Scan
from collector.status.board import BrokerState, BufferState, ConfigState, DeviceCondition

MARK = b"\x1e"
"""How a line begins that is a report, and not one of the log."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """A poll cycle: `at` in monotonic seconds of the machine, a value or None for each name."""

    device_id: str
    protocol: str
    where: str
    stamp_ms: int
    at: float
    names: list[str]
    values: list[JsonValue]
    bad: int

    @classmethod
    def of(cls, scan: Scan, at: float) -> Self:
        """What the demo shows of a scan."""
        device = scan.device
        values = cast("list[JsonValue]", scan.values)  # a value is JSON, but no list of one is the other for mypy
        names, bad = list(scan.names), len(scan.bad)
        return cls(device.id, device.protocol, device.connection.where, scan.stamp_ms, at, names, values, bad)


@dataclass(frozen=True, slots=True)
class DeviceSeen:
    """How a device does."""

    id: str
    name: str
    condition: DeviceCondition
    since_ms: int
    error: str | None
    requests_per_cycle: int


@dataclass(frozen=True, slots=True)
class Report:
    """As of one moment. `made` are the data messages of this start alone, `cycles` those since the last report."""

    epoch: str
    made: int
    rests_on_disk: bool
    broker: BrokerState
    buffer: BufferState
    config: ConfigState
    devices: list[DeviceSeen]
    cycles: list[Cycle]

    @classmethod
    def of(cls, collector: Collector, cycles: Iterable[Cycle]) -> Self:
        """As of now."""
        board, outbox = collector.board, collector.outbox
        return cls(
            outbox.epoch,
            outbox.last_seq,
            outbox.rests_on_disk,
            board.broker,
            board.buffer,
            board.config,
            [
                DeviceSeen(each.id, each.name, each.condition, each.since_ms, each.error, each.requests_per_cycle)
                for each in board.devices.values()
            ],
            list(cycles),
        )

    @classmethod
    def read(cls, line: bytes) -> "Report":
        """From the line that `line` made."""
        return _REPORTS.validate_json(line.removeprefix(MARK))

    def line(self) -> bytes:
        """As it is sent."""
        return MARK + orjson.dumps(self) + b"\n"


_REPORTS = TypeAdapter(Report)
