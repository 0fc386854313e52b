"""`edge-collector browse`: what a server has, as a tree, with the addresses that tags would have."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from collector.cli.connecting import connection_of
from protocols import registry
from protocols.errors import Refused, RequestRefused, SessionError
from protocols.opcua.addresses import NodeAddress, parse_address
from protocols.opcua.connection import OpcUaConnection
from protocols.opcua.driver import OpcUaDriver

if TYPE_CHECKING:
    from protocols.opcua.browsing import BrowsedNode
    from protocols.opcua.session import OpcUaSession

EXIT_NO_ANSWER = 1
EXIT_NOT_ASKED = 2

_INDENT = "  "


def browse_nodes(
    protocol: str,
    fields: Mapping[str, object],
    node: str | None,
    depth: int,
    timeout_s: float,
    console: Console,
    state_folder: Path | None = None,
) -> int:
    """List what is below a node, `depth` levels of it; returns the exit status. Certificates are in `state_folder`.

    0 all was listed, 1 the device did not answer or refused some of it, 2 nothing could be asked.
    """
    try:
        driver = _driver(protocol, state_folder)
        connection = connection_of(driver.connection, fields, timeout_s)
        address = None if node is None else parse_address(node)
        return asyncio.run(_browse(driver, connection, address, depth, console))
    except Refused as refusal:
        console.print(f"[red]{escape(refusal.field)}:[/] {escape(str(refusal))}")
        return EXIT_NOT_ASKED
    except SessionError as error:
        console.print(f"[red]no answer:[/] {escape(str(error))}")
        return EXIT_NO_ANSWER


def _driver(protocol: str, state_folder: Path | None) -> OpcUaDriver:
    name = registry.canonical(protocol)
    if name != OpcUaDriver.protocol:
        raise Refused("protocol", f"{name} can not list what a device has; expected {OpcUaDriver.protocol}")
    return cast("OpcUaDriver", registry.driver(name, state_folder))


async def _browse(
    driver: OpcUaDriver, connection: OpcUaConnection, node: NodeAddress | None, depth: int, console: Console
) -> int:
    session = await driver.connect(connection)
    try:
        tree = _Tree(session, connection.timeout_s, console)
        await tree.show(node, depth)
    finally:
        await session.close()
    return EXIT_NO_ANSWER if tree.refused else 0


class _Tree:
    """Prints each node as it is met: a large server shows at once that it answers."""

    def __init__(self, session: "OpcUaSession", timeout_s: float, console: Console) -> None:
        self._session = session
        self._timeout_s = timeout_s
        self._console = console
        self._opened: set[NodeAddress | None] = set()
        self.refused = False

    async def show(self, node: NodeAddress | None, depth: int, level: int = 0) -> None:
        """List the children of a node. Raises `SessionError`; a node that the server refuses costs itself."""
        self._opened.add(node)
        try:
            children = await self._session.browse(node, self._timeout_s)
        except RequestRefused as refusal:
            self.refused = True
            self._console.print(Text(f"{_INDENT * level}{refusal}", "red"))
            return
        for child in children:
            self._console.print(_line(child, level), highlight=False)
            # Servers have loops: what was opened before is not opened again.
            if depth > 1 and (address := parse_address(child.address)) not in self._opened:
                await self.show(address, depth - 1, level + 1)


def _line(node: "BrowsedNode", level: int) -> Text:
    name = " ".join(node.name.split())
    kind = f"{node.kind} {node.data_type}" if node.data_type else node.kind
    return Text.assemble(_INDENT * level, (name, "bold"), "  ", node.address, "  ", (kind, "dim"))
