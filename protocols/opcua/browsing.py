"""What is below a node."""

from dataclasses import dataclass

from asyncua import ua

from protocols.errors import RequestRefused
from protocols.opcua import statuses
from protocols.opcua.limits import Limits
from protocols.opcua.nodes import address_of, read_request
from protocols.opcua.wire import Wire
from protocols.quality import Quality

MOST_AT_ONCE = 500
MOST_CHILDREN = 10_000

_KINDS = {ua.NodeClass.Object: "object", ua.NodeClass.Variable: "variable", ua.NodeClass.Method: "method"}
_WANTED = ua.NodeClass.Object | ua.NodeClass.Variable | ua.NodeClass.Method


@dataclass(frozen=True, slots=True)
class BrowsedNode:
    """A child: its name, the address a tag would have, ``object``, ``variable`` or ``method``, and a variable's type.

    `data_type` is the name of a built-in type, or the address of a type of the server's own.
    """

    name: str
    address: str
    kind: str
    data_type: str | None = None


async def browse(wire: Wire, node: ua.NodeId, limits: Limits) -> tuple[BrowsedNode, ...]:
    """The children in the server's order, at most 10,000. Raises `RequestRefused` or `SessionError`."""
    found = await _children(wire, node)
    variables = [child.NodeId for child in found if child.NodeClass == ua.NodeClass.Variable]
    types: dict[ua.NodeId, str | None] = {}
    for at in range(0, len(variables), limits.read):
        some = variables[at : at + limits.read]
        answer = await wire.ask(read_request(some, ua.AttributeIds.DataType), ua.ReadResponse, "data types")
        types |= {each: _type_name(told) for each, told in zip(some, answer.Results, strict=False)}
    return tuple(
        BrowsedNode(
            name=child.DisplayName.Text or child.BrowseName.Name or "",
            address=str(address_of(child.NodeId)),
            kind=_KINDS.get(child.NodeClass, "object"),
            data_type=types.get(child.NodeId),
        )
        for child in found
    )


async def _children(wire: Wire, node: ua.NodeId) -> list[ua.ReferenceDescription]:
    question = ua.BrowseRequest()
    question.Parameters.RequestedMaxReferencesPerNode = ua.Counter(MOST_AT_ONCE)
    question.Parameters.NodesToBrowse = [
        ua.BrowseDescription(
            NodeId=node,
            BrowseDirection=ua.BrowseDirection.Forward,
            ReferenceTypeId=ua.NodeId(ua.Int32(ua.ObjectIds.HierarchicalReferences)),
            IncludeSubtypes=True,
            NodeClassMask=ua.UInt32(_WANTED),
            ResultMask=ua.UInt32(ua.BrowseResultMask.All),
        )
    ]
    answer = await wire.ask(question, ua.BrowseResponse, "children")
    result = _only(answer.Results)
    found = list(result.References or ())
    while result.ContinuationPoint and len(found) < MOST_CHILDREN:
        more = ua.BrowseNextRequest()
        more.Parameters.ContinuationPoints = [result.ContinuationPoint]
        result = _only((await wire.ask(more, ua.BrowseNextResponse, "more children")).Parameters.Results)
        found += result.References or ()
    return found[:MOST_CHILDREN]


def _only(results: list[ua.BrowseResult]) -> ua.BrowseResult:
    if len(results) != 1:
        raise RequestRefused(Quality.DEVICE_ERROR, f"the server answered for {len(results)} nodes where 1 was asked")
    status = results[0].StatusCode.value
    if statuses.is_bad(status):
        quality = statuses.quality_of(status) or Quality.DEVICE_ERROR
        raise RequestRefused(quality, f"the server refused to list the children: {results[0].StatusCode.name}")
    return results[0]


def _type_name(told: ua.DataValue) -> str | None:
    node = told.Value.Value if told.Value is not None else None
    if not isinstance(node, ua.NodeId):
        return None
    if node.NamespaceIndex == 0 and isinstance(node.Identifier, int):
        return str(ua.ObjectIdNames.get(node.Identifier, f"i={node.Identifier}"))
    return str(address_of(node))
