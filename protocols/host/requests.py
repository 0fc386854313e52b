"""What is asked of the machine, and what the answers mean to each tag."""

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.base import NO_LESSONS, DataType, Lessons, TagSpec
from protocols.errors import Refused
from protocols.host.addresses import HostAddress, Source, parse_address
from protocols.scaling import Scaling, float64_scaler, integer_scaler


@dataclass(frozen=True, slots=True)
class HostConnection:
    """The machine the collector runs on. `timeout_s` is how long a disk or a sensor may keep one waiting."""

    timeout_s: float
    host: str | None = None

    @property
    def link(self) -> tuple[str | int, ...]:
        """There is but one machine."""
        return ("host",)

    @property
    def where(self) -> str:
        """For messages."""
        return "this machine"


@dataclass(frozen=True, slots=True)
class HostPoint:
    """A figure and how it is scaled."""

    address: HostAddress
    scaling: Scaling

    def value(self, figure: int | float) -> int | float:
        """The figure in engineering units. Raises `OverflowError` or `ValueError` where it has none."""
        scaled: Sequence[int | float]
        if isinstance(figure, int):
            scaled = integer_scaler(self.scaling)([figure])
        else:
            scaled = float64_scaler(self.scaling)([figure])
        return scaled[0]


@dataclass(frozen=True, slots=True)
class HostRequest:
    """One source's figures; of disks one mount point's, for each may hang by itself."""

    source: Source
    item: str
    tags: tuple[int, ...]
    points: tuple[HostPoint, ...]

    @property
    def subject(self) -> str:
        """For messages: ``disk./ of this machine``."""
        return f"{self.source}{'.' if self.item else ''}{self.item} of this machine"


def place(tag: TagSpec) -> HostPoint:
    """Place a tag. The figure's own type counts, whatever number `data_type` names. Raises `Refused`."""
    address = parse_address(tag.address)
    if tag.data_type in (DataType.BOOL, DataType.STRING):
        raise Refused("data_type", f"{tag.address!r} is a number, found {tag.data_type}; leave data_type out")
    if tag.length is not None and tag.length > 1:
        raise Refused("length", f"{tag.address!r} is a single number, found an array of {tag.length}")
    return HostPoint(address, Scaling.of(tag.scale, tag.offset))


def plan_requests(points: Sequence[HostPoint], lessons: Lessons = NO_LESSONS) -> tuple[HostRequest, ...]:
    """One request a source."""
    asked: dict[tuple[Source, str], list[int]] = {}
    for tag, point in enumerate(points):
        if tag not in lessons.avoid:
            address = point.address
            asked.setdefault((address.source, address.item if address.source is Source.DISK else ""), []).append(tag)
    return tuple(
        HostRequest(source, item, tuple(tags), tuple(points[tag] for tag in tags))
        for (source, item), tags in asked.items()
    )
