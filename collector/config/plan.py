"""What is to be polled, decided: frozen, compared by ``==``, so that a reload is a pure difference of two plans."""

from dataclasses import dataclass, field

from collector.status.board import ConfigProblem
from protocols.base import Connection, Point, Request


@dataclass(frozen=True, slots=True)
class PollGroup:
    """The tags of a device that are due together. `tags` are positions in `DevicePlan.names`."""

    interval_ms: int
    tags: tuple[int, ...]
    points: tuple[Point, ...]
    # Follows from the points, and what it is made of (structs, closures) does not compare.
    requests: tuple[Request, ...] = field(compare=False)


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """One device, ready to be polled: nothing in it needs to be parsed or looked up again."""

    id: str
    name: str
    protocol: str
    connection: Connection
    groups: tuple[PollGroup, ...]
    names: tuple[str, ...]
    connection_id: int | str
    equipment_id: int | str | None
    request_delay_s: float


@dataclass(frozen=True, slots=True)
class IdleDevice:
    """A device of the document that is not polled: switched off by the document, or refused with a reason."""

    id: str
    name: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Remark:
    """Something of the document that was read leniently or looks odd, and what it was taken for."""

    path: str
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole document, decided."""

    version: str | None
    edge_id: str
    edge_name: str | None
    devices: tuple[DevicePlan, ...]
    idle: tuple[IdleDevice, ...]
    problems: tuple[ConfigProblem, ...]
    remarks: tuple[Remark, ...]

    @property
    def tag_count(self) -> int:
        """Tags that are polled."""
        return sum(len(device.names) for device in self.devices)
