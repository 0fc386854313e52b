"""From addresses to the library's node ids, and what is asked of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from asyncua import ua

from protocols.opcua.addresses import NodeAddress

UNKNOWN_NAMESPACE = "the server has no such namespace"


def node_id(address: NodeAddress, namespaces: Sequence[str]) -> ua.NodeId | None:
    """None when the server does not know the namespace's URI."""
    if isinstance(address.namespace, int):
        index = address.namespace
    elif address.namespace in namespaces:
        index = namespaces.index(address.namespace)
    else:
        return None
    identifier: Any = address.identifier
    return ua.NodeId(identifier, ua.Int16(index))


def address_of(node: ua.NodeId) -> NodeAddress:
    """The way back."""
    return NodeAddress(int(node.NamespaceIndex), node.Identifier)


def read_request(nodes: Iterable[ua.NodeId], attribute: ua.AttributeIds) -> ua.ReadRequest:
    """A question for one attribute of each node, values with their source's timestamps."""
    request = ua.ReadRequest()
    request.Parameters.NodesToRead = [
        ua.ReadValueId(NodeId=node, AttributeId=ua.IntegerId(attribute)) for node in nodes
    ]
    return request
