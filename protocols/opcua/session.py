"""One live session with an OPC-UA server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from weakref import WeakKeyDictionary

from asyncua import Client, ua
from asyncua.ua.uaerrors import UaError

from protocols.base import Cycle
from protocols.errors import BadAnswer, NoAnswer, RequestRefused, SessionError, SessionLost
from protocols.opcua import statuses
from protocols.opcua.addresses import NodeAddress
from protocols.opcua.browsing import BrowsedNode, browse
from protocols.opcua.feeds import Feeds
from protocols.opcua.limits import Limits
from protocols.opcua.nodes import UNKNOWN_NAMESPACE, node_id, read_request
from protocols.opcua.points import OpcUaPoint
from protocols.opcua.requests import OpcUaRequest, OpcUaWrite
from protocols.opcua.values import Told, fill, iso, newest, read_all
from protocols.opcua.wire import Refusal, Undecodable, Wire
from protocols.opcua.writing import check_value, write_value
from protocols.quality import Quality

RENEW_AFTER = 0.75  # of the channel's lifetime: OPC 10000-4, 5.6.2
BEATS_A_TIMEOUT = 3


@dataclass(frozen=True, slots=True)
class _Part:
    """As much of a request as the server takes at once."""

    tags: Sequence[int]
    points: Sequence[OpcUaPoint]
    question: ua.ReadRequest


@dataclass(frozen=True, slots=True)
class _Reading:
    """A request as this server takes it. `unknown` are the tags in namespaces that it does not have."""

    most: int
    parts: list[_Part]
    unknown: list[int]


class OpcUaSession:
    """Made by `protocols.opcua.opening.open_session`, which has logged in. It keeps itself alive between reads."""

    def __init__(self, client: Client, wire: Wire, limits: Limits, where: str) -> None:
        self._client = client
        self._wire = wire
        self._limits = limits
        self._where = where
        self._most = limits.read
        self._readings: WeakKeyDictionary[OpcUaRequest, _Reading] = WeakKeyDictionary()
        self._feeds = Feeds(wire, limits, where)
        self._newest: datetime | None = None
        self._keeping = asyncio.create_task(self._keep())

    @property
    def remark(self) -> str | None:
        """How far the server's own clock of its values has come: one that stands still serves old values as good."""
        stamps = [stamp for stamp in (self._newest, self._feeds.newest()) if stamp is not None]
        return f"newest source timestamp {iso(max(stamps))}" if stamps else None

    async def read(self, request: OpcUaRequest, cycle: Cycle) -> None:
        """Read the nodes, or hand out what was told of them; see `protocols.base.Session.read`.

        A node that the server refuses is the quality of its own tag and no error.
        """
        async with self._within(request.timeout_s, request.where, request.subject):
            if request.watched:
                await self._feeds.read(request, cycle)
            else:
                await self._read(request, cycle)

    async def write(self, write: OpcUaWrite) -> None:
        """Write in the node's own type; see `protocols.base.Session.write`."""
        async with self._within(write.timeout_s, write.where, write.subject):
            await write_value(self._wire, self._found(write.point.node), write)

    async def check(self, write: OpcUaWrite) -> None:
        """Whether the node's type holds the value; see `protocols.base.Checking`."""
        async with self._within(write.timeout_s, write.where, write.subject):
            await check_value(self._wire, self._found(write.point.node), write)

    async def look(self, node: NodeAddress, timeout_s: float) -> Told:
        """One node's value with all that the server says of it. Raises `RequestRefused`, `SessionError`."""
        async with self._within(timeout_s, self._where, f"node {node}"):
            found = self._found(node)
            question = read_request([found], ua.AttributeIds.Value)
            answer = await self._wire.ask(question, ua.ReadResponse, f"node {node}")
            if len(answer.Results) != 1:
                raise RequestRefused(Quality.DEVICE_ERROR, f"{self._where} has {len(answer.Results)} values for {node}")
            return read_all(answer.Results[0], OpcUaPoint(node))

    async def browse(self, node: NodeAddress | None, timeout_s: float) -> tuple[BrowsedNode, ...]:
        """The children of a node, of the Objects folder when it is None. Raises `RequestRefused`, `SessionError`."""
        address = node or NodeAddress(0, ua.ObjectIds.ObjectsFolder)
        async with self._within(timeout_s, self._where, f"children of {address}"):
            return await browse(self._wire, self._found(address), self._limits)

    async def close(self) -> None:
        """Take leave if the server listens, and let go in any case."""
        self._keeping.cancel()
        self._feeds.stop()
        try:
            await self._wire.take_leave()
        finally:
            self._wire.end(SessionLost(f"the session with {self._where} was closed"))
        await self._wire.gone()

    async def _read(self, request: OpcUaRequest, cycle: Cycle) -> None:
        reading = self._readings.get(request)
        if reading is None or reading.most > self._most:
            reading = self._readings[request] = self._prepared(request)
        for tag in reading.unknown:
            cycle.bad[tag] = Quality.BAD_ADDRESS
            cycle.words[tag] = UNKNOWN_NAMESPACE
        for part in reading.parts:
            try:
                answer = await self._wire.ask(part.question, ua.ReadResponse, request.subject)
            except Undecodable as error:
                raise RequestRefused(Quality.DEVICE_ERROR, str(error), isolate=True) from None
            except Refusal as refusal:
                if not statuses.asks_for_less(refusal.status) or len(part.tags) == 1:
                    raise
                self._most = len(part.tags) // 2
                await self._read(request, cycle)
                return
            if len(answer.Results) != len(part.tags):
                told = f"{len(answer.Results)} values for {len(part.tags)} nodes"
                self._wire.end(BadAnswer(f"{request.where} answered {request.subject} with {told}"))
                raise self._wire.over or BadAnswer(told)
            fill(part.tags, part.points, answer.Results, cycle)
            self._newest = newest(answer.Results, self._newest)
            await asyncio.sleep(0)  # a turn for the others, before these values are made a message

    def _prepared(self, request: OpcUaRequest) -> _Reading:
        nodes = [node_id(point.node, self._limits.namespaces) for point in request.points]
        known = [at for at, node in enumerate(nodes) if node is not None]
        runs = [known[at : at + self._most] for at in range(0, len(known), self._most)]
        parts = [
            _Part(
                [request.tags[at] for at in run],
                [request.points[at] for at in run],
                read_request([node for at in run if (node := nodes[at]) is not None], ua.AttributeIds.Value),
            )
            for run in runs
        ]
        return _Reading(self._most, parts, [request.tags[at] for at, node in enumerate(nodes) if node is None])

    def _found(self, node: NodeAddress) -> ua.NodeId:
        found = node_id(node, self._limits.namespaces)
        if found is None:
            raise RequestRefused(Quality.BAD_ADDRESS, f"{self._where} node {node}: {UNKNOWN_NAMESPACE}")
        return found

    @asynccontextmanager
    async def _within(self, timeout_s: float, where: str, subject: str) -> AsyncIterator[None]:
        if self._wire.over:
            raise self._wire.over
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError:
            raise NoAnswer(f"{where} did not answer {subject} within {timeout_s:g} s") from None
        except Undecodable as error:
            raise RequestRefused(Quality.DEVICE_ERROR, str(error)) from None

    async def _keep(self) -> None:
        """Ask for the server's state now and then, and renew the keys in time."""
        loop = asyncio.get_running_loop()
        beat_s = max(1.0, self._client.session_timeout / 1000 / BEATS_A_TIMEOUT)
        renew_at = loop.time() + self._lifetime_s()
        while self._wire.over is None:
            await asyncio.sleep(min(beat_s, max(renew_at - loop.time(), 0.0)))
            try:
                async with asyncio.timeout(beat_s):
                    if loop.time() >= renew_at:
                        await self._renew()
                        renew_at = loop.time() + self._lifetime_s()
                    else:
                        await self._beat()
            except TimeoutError:
                self._wire.end(SessionLost(f"{self._where} did not answer within {beat_s:g} s between two polls"))
            except SessionError:
                return
            except Exception as error:  # noqa: BLE001 - a task that nobody awaits must not die unseen
                self._wire.end(SessionLost(f"{self._where}: {type(error).__name__}: {error}"))

    def _lifetime_s(self) -> float:
        return max(self._client.secure_channel_timeout / 1000 * RENEW_AFTER, 1.0)

    async def _renew(self) -> None:
        try:
            with self._wire.own_errors("new keys"):
                await self._client.open_secure_channel(renew=True)
                self._client.uaclient.revolve_security_token()
        except (UaError, RequestRefused) as error:
            self._wire.end(SessionLost(f"{self._where} did not renew the secure channel: {error}"))

    async def _beat(self) -> None:
        state = read_request([ua.NodeId(ua.Int32(ua.ObjectIds.Server_ServerStatus_State))], ua.AttributeIds.Value)
        with contextlib.suppress(RequestRefused, Undecodable):  # any answer is a sign of life
            await self._wire.ask(state, ua.ReadResponse, "its state")
