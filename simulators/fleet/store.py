"""The rows that a Fleet server stores of what its edges publish."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from simulators.stamps import stamp, wall_ms_of

Id = str | int | None


@dataclass(frozen=True, slots=True)
class HeartbeatRow:
    """A row of `fleet_heartbeats`; `payload` is all that the edge said."""

    edge_id: str
    received_at: str
    status: str
    cpu_percent: float | None
    memory_percent: float | None
    disk_percent: float | None
    ip_address: str | None
    payload: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of `fleet_edge_raw_data`: one value of one tag."""

    edge_id: str
    equipment_id: Id
    connection_id: Id
    timestamp: str
    tag: str
    value: object
    received_at: str

    @property
    def key(self) -> tuple[str, Id, str, str]:
        """What makes it one row: storing it again changes nothing."""
        return (self.edge_id, self.connection_id, self.timestamp, self.tag)


@dataclass(slots=True)
class Edge:
    """An edge that the server knows, since its first heartbeat."""

    edge_id: str
    registered_at: str
    status: str
    last_seen: str
    heartbeats: deque[HeartbeatRow] = field(default_factory=lambda: deque(maxlen=1000))


class Store:
    """Feed it every message under `vexplor/devices/`; it never raises. All it keeps is bounded, oldest go first.

    `duplicates` counts rows that were there already, `refused` messages that could not be understood.
    """

    def __init__(self, max_rows: int = 100_000) -> None:
        self.edges: dict[str, Edge] = {}
        self.rows: OrderedDict[tuple[str, Id, str, str], DataRow] = OrderedDict()
        self.events: deque[dict[str, object]] = deque(maxlen=10_000)
        self.responses: deque[dict[str, object]] = deque(maxlen=10_000)
        self.messages = 0
        self.duplicates = 0
        self.refused = 0
        self.last_refused: str | None = None
        self._max_rows = max_rows
        self._latest: dict[tuple[str, Id, str], tuple[int, DataRow]] = {}

    def feed(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        """Store one message."""
        parts = topic.split("/")
        if len(parts) != 4 or parts[:2] != ["vexplor", "devices"]:
            return
        received_at = stamp(received_at_ms)
        self.messages += 1
        try:
            message = orjson.loads(payload)
            if not isinstance(message, dict):
                raise TypeError(f"expected a JSON object, found {type(message).__name__}")
            self._take(parts[3], parts[2], message, received_at)
        except (ValueError, KeyError, TypeError) as error:
            self.refused += 1
            self.last_refused = f"{topic}: {type(error).__name__}: {error}"

    def latest(self, edge_id: str, connection_id: str | None = None) -> dict[str, DataRow]:
        """The newest value of each tag by the edge's own time, of one connection or of all."""
        newest: dict[str, tuple[int, DataRow]] = {}
        for (edge, connection, tag), (at_ms, row) in self._latest.items():
            wanted = edge == edge_id and connection_id in (None, str(connection))
            if wanted and (tag not in newest or newest[tag][0] < at_ms):
                newest[tag] = (at_ms, row)
        return {tag: row for tag, (_, row) in newest.items()}

    def data(self, edge_id: str, limit: int = 100) -> list[DataRow]:
        """The rows that came last, newest first."""
        rows: list[DataRow] = []
        for row in reversed(self.rows.values()):
            if len(rows) >= limit:
                break
            if row.edge_id == edge_id:
                rows.append(row)
        return rows

    def _take(self, kind: str, edge_id: str, message: dict[str, object], received_at: str) -> None:
        if kind == "status":
            self._take_heartbeat(edge_id, message, received_at)
        elif kind == "data":
            self._take_data(edge_id, message, received_at)
        elif kind == "events":
            self.events.append({"edge_id": edge_id, "received_at": received_at, **message})
        elif kind == "responses":
            self.responses.append({"edge_id": edge_id, "received_at": received_at, **message})

    def _take_heartbeat(self, edge_id: str, message: dict[str, object], received_at: str) -> None:
        """A farewell of an edge that never said hello registers nobody."""
        status = message.get("status", "online")
        row = HeartbeatRow(
            edge_id,
            received_at,
            str(status),
            _figure(message, "cpu_percent"),
            _figure(message, "memory_percent"),
            _figure(message, "disk_percent"),
            str(message["ip_address"]) if message.get("ip_address") else None,
            message,
        )
        edge = self.edges.get(edge_id)
        if edge is None:
            if row.status == "offline":
                return
            edge = self.edges[edge_id] = Edge(edge_id, received_at, row.status, received_at)
        edge.status, edge.last_seen = row.status, received_at
        edge.heartbeats.append(row)

    def _take_data(self, edge_id: str, message: dict[str, object], received_at: str) -> None:
        timestamp, tags = message["timestamp"], message["tags"]
        at_ms = wall_ms_of(timestamp)
        if not isinstance(tags, dict):
            raise TypeError(f"tags: expected an object, found {type(tags).__name__}")
        equipment, connection = _id(message.get("equipment_id")), _id(message.get("connection_id"))
        for tag, value in tags.items():
            row = DataRow(edge_id, equipment, connection, str(timestamp), tag, value, received_at)
            if row.key in self.rows:
                self.duplicates += 1
                continue
            self.rows[row.key] = row
            self._renew_latest(at_ms, row)
        while len(self.rows) > self._max_rows:
            self.rows.popitem(last=False)

    def _renew_latest(self, at_ms: int, row: DataRow) -> None:
        key = (row.edge_id, row.connection_id, row.tag)
        held = self._latest.get(key)
        if held is None or held[0] <= at_ms:
            self._latest[key] = (at_ms, row)


def _figure(message: Mapping[str, object], name: str) -> float | None:
    figure = message.get(name)
    if figure is None or (isinstance(figure, int | float) and not isinstance(figure, bool)):
        return figure
    raise TypeError(f"{name}: expected a number, found {figure!r}")


def _id(value: object) -> Id:
    if value is None or isinstance(value, str | int):
        return value
    raise TypeError(f"expected a number or a text as an id, found {value!r}")
