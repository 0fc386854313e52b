"""Turns tags into reads and writes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from protocols.base import Lessons, Value
from protocols.opcua.connection import OpcUaConnection
from protocols.opcua.points import OpcUaPoint
from protocols.scaling import Scaling

# The library decodes an answer in one go at up to 20 µs a value, and the event loop must not stand for 20 ms.
MAX_READ = 500
MAX_WATCH = 2_000


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class OpcUaRequest:
    """Nodes to read in one go, or to watch by one subscription. A request is itself only: sessions remember it.

    `points` are those of `tags`, in the same order.
    """

    tags: tuple[int, ...]
    points: tuple[OpcUaPoint, ...]
    watched: bool
    where: str
    timeout_s: float
    publishing_interval_ms: int

    @property
    def subject(self) -> str:
        """For messages: ``500 nodes from ns=2;s=Line1.Speed``."""
        first = self.points[0].node
        return f"node {first}" if len(self.points) == 1 else f"{len(self.points)} nodes from {first}"


@dataclass(frozen=True, slots=True)
class OpcUaWrite:
    """A value for a node, in engineering units: what it is in raw the server's type decides."""

    point: OpcUaPoint
    value: Value
    where: str
    timeout_s: float

    @property
    def subject(self) -> str:
        """For messages: ``node ns=2;s=Line1.Setpoint``."""
        return f"node {self.point.node}"

    @property
    def scaling(self) -> Scaling:
        """From raw to engineering units."""
        return self.point.scaling


def plan_requests(
    connection: OpcUaConnection, points: Sequence[OpcUaPoint], lessons: Lessons
) -> tuple[OpcUaRequest, ...]:
    """The fewest requests for all points but those to avoid, in the order in which the tags came."""
    wanted = [tag for tag in range(len(points)) if tag not in lessons.avoid]
    polled = [tag for tag in wanted if points[tag].watch is None]
    watched = [tag for tag in wanted if points[tag].watch is not None]
    runs = [(tags, False) for tags in _runs(polled, MAX_READ, lessons)]
    runs += [(tags, True) for tags in _runs(watched, MAX_WATCH, lessons)]
    return tuple(
        OpcUaRequest(
            tags=tags,
            points=tuple(points[tag] for tag in tags),
            watched=watched,
            where=connection.where,
            timeout_s=connection.timeout_s,
            publishing_interval_ms=connection.publishing_interval_ms,
        )
        for tags, watched in runs
    )


def _runs(tags: Sequence[int], most: int, lessons: Lessons) -> Iterator[tuple[int, ...]]:
    run: list[int] = []
    for tag in tags:
        if run and (len(run) == most or tag in lessons.breaks):
            yield tuple(run)
            run = []
        run.append(tag)
    if run:
        yield tuple(run)
