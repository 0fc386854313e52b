"""What a server says of itself before anything else is asked: how much it takes at once, and its namespaces."""

from dataclasses import dataclass

from asyncua import ua

from protocols.errors import RequestRefused
from protocols.opcua.requests import MAX_READ
from protocols.opcua.wire import Undecodable, Wire

MAX_MONITOR = 200
MAX_BROWSE = 100


@dataclass(frozen=True, slots=True)
class Limits:
    """At most how many nodes a call may name, ours and the server's `OperationLimits` together."""

    read: int = MAX_READ
    monitor: int = MAX_MONITOR
    browse: int = MAX_BROWSE
    namespaces: tuple[str, ...] = ()


_PREFIX = "Server_ServerCapabilities_OperationLimits_"
_NODES = (
    getattr(ua.ObjectIds, f"{_PREFIX}MaxNodesPerRead"),
    getattr(ua.ObjectIds, f"{_PREFIX}MaxMonitoredItemsPerCall"),
    getattr(ua.ObjectIds, f"{_PREFIX}MaxNodesPerBrowse"),
    ua.ObjectIds.Server_NamespaceArray,
)


async def ask_limits(wire: Wire) -> Limits:
    """Read them all at once, or one by one from a server that takes no more. Raises `SessionError`."""
    try:
        read, monitor, browse, namespaces = await _read(wire, *_NODES)
    except RequestRefused:
        read, monitor, browse, namespaces = [(await _one(wire, node)) for node in _NODES]
    return Limits(
        read=_least(MAX_READ, read),
        monitor=_least(MAX_MONITOR, monitor),
        browse=_least(MAX_BROWSE, browse),
        namespaces=tuple(str(uri) for uri in namespaces) if isinstance(namespaces, list) else (),
    )


async def _one(wire: Wire, node: int) -> object:
    try:
        (value,) = await _read(wire, node)
    except (RequestRefused, Undecodable):
        return None
    return value


async def _read(wire: Wire, *nodes: int) -> list[object]:
    request = ua.ReadRequest()
    request.Parameters.NodesToRead = [
        ua.ReadValueId(NodeId=ua.NodeId(ua.Int32(node)), AttributeId=ua.IntegerId(ua.AttributeIds.Value))
        for node in nodes
    ]
    response = await wire.ask(request, ua.ReadResponse, "its limits")
    answers = [*response.Results, *[ua.DataValue()] * len(nodes)][: len(nodes)]
    return [answer.Value.Value if answer.Value is not None else None for answer in answers]


def _least(ours: int, theirs: object) -> int:
    """Zero, and no answer, mean no limit."""
    return min(ours, theirs) if isinstance(theirs, int) and theirs > 0 else ours
