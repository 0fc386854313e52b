"""What is to be polled, decided: frozen, compared by ``==``, so that a reload is a pure difference of two plans."""

from dataclasses import dataclass, field
from decimal import Decimal

from collector.config.expression import Expression
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
class ComputedTag:
    """A tag reckoned from others: `tag` and `inputs` are positions in `DevicePlan.names`.

    It is due in a cycle in which all its inputs are.
    """

    tag: int
    inputs: tuple[int, ...]
    expression: Expression


@dataclass(frozen=True, slots=True)
class Labels:
    """What the values of a tag are called: `tag` is a position in `DevicePlan.names`, `texts` pairs value and text."""

    tag: int
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Deadband:
    """How far a tag must move to be published: the larger of a distance and a share of the last published value."""

    distance: Decimal = Decimal(0)
    percent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class OnChange:
    """Publish what changed, and everything every `max_s` seconds. `deadbands` pairs tag names with theirs."""

    max_s: float
    deadbands: tuple[tuple[str, Deadband], ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The limits of a tag's alarms, rising, in engineering units; `delay_s`: how long one must be passed first."""

    low_low: float | None = None
    low: float | None = None
    high: float | None = None
    high_high: float | None = None
    hysteresis: float = 0.0
    delay_s: float = 0.0


@dataclass(frozen=True, slots=True)
class ProtocolDoubt:
    """The device's port is known for another `protocol` than its addresses are written in; the addresses won.

    `connection` is the same device in that other protocol, None where its connection can not be used for it.
    """

    protocol: str
    remark: str
    connection: Connection | None


@dataclass(frozen=True, slots=True)
class DevicePlan:
    """One device, ready to be polled: nothing in it needs to be parsed or looked up again.

    `names` are its tags in the document's order, the `computed` ones among them; these stand in an order in which
    each comes after its inputs. `on_change` None publishes every poll. `thresholds` pairs tag names with theirs.
    """

    id: str
    name: str
    protocol: str
    connection: Connection
    groups: tuple[PollGroup, ...]
    names: tuple[str, ...]
    connection_id: int | str
    equipment_id: int | str | None
    request_delay_s: float
    computed: tuple[ComputedTag, ...] = ()
    labels: tuple[Labels, ...] = ()
    on_change: OnChange | None = None
    doubt: ProtocolDoubt | None = None
    thresholds: tuple[tuple[str, Thresholds], ...] = ()


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
    aggregation_interval_s: int = 60
    local_retention_days: int = 7

    @property
    def tag_count(self) -> int:
        """Tags that are polled."""
        return sum(len(device.names) for device in self.devices)
