"""How the floor reads OPC-UA: as the library does it by itself, bare."""

import asyncio
from collections.abc import Sequence

from asyncua import Client, Node, ua

from tests.benchmarks.floor_readers import Read, runs
from tests.benchmarks.tags import opcua_path

_NODES = 500
"""In one question, as the collector has it."""
_PUBLISHING_MS, _SAMPLING = 500, ua.Double(1_000)
_SESSION_MS = 600_000
_PATIENCE_S = 30.0
"""With 10,000 nodes a server in Python is busy for longer than the library's four seconds."""


async def reading(port: int, words: int) -> Read:
    """Many values by one call."""
    client, nodes = await _connect(port, words)
    calls = [nodes[first : first + size] for first, size in runs(words, _NODES)]

    async def read() -> list[float]:
        return [raw / 10 for call in calls for raw in await client.read_values(call)]

    return read


async def subscribing(port: int, words: int) -> Read:
    """What was told last of each node; of each something was when this returns."""
    client, nodes = await _connect(port, words)
    told = _Told(nodes)
    subscription = await client.create_subscription(_PUBLISHING_MS, told)
    for first, size in runs(words, _NODES):
        await subscription.subscribe_data_change(nodes[first : first + size], sampling_interval=_SAMPLING)
    await told.of_all.wait()

    async def read() -> list[float]:
        return [raw / 10 for raw in told.words.values()]

    return read


class _Told:
    """The last of each node."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.words = dict.fromkeys((node.nodeid for node in nodes), 0)
        self.of_all = asyncio.Event()
        self._untold = set(self.words)

    def datachange_notification(self, node: Node, val: int, _data: object) -> None:
        """Called by the library."""
        self.words[node.nodeid] = val
        self._untold.discard(node.nodeid)
        if not self._untold:
            self.of_all.set()

    def status_change_notification(self, status: object) -> None:
        """Called by the library, which wants it to be there."""


async def _connect(port: int, words: int) -> tuple[Client, list[Node]]:
    client = Client(f"opc.tcp://127.0.0.1:{port}", timeout=_PATIENCE_S, watchdog_intervall=_PATIENCE_S)
    client.session_timeout = _SESSION_MS
    await client.connect()
    return client, [client.get_node(f"ns=2;s={opcua_path(word)}") for word in range(words)]
