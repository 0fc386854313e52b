"""A small Fleet server: the config API, registration by heartbeat, and the rows, to be asked for by HTTP."""

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import orjson

from simulators.door import Door
from simulators.fleet.documents import Document, Documents
from simulators.fleet.faults import HttpFaults
from simulators.fleet.routes import Routes
from simulators.fleet.store import Store
from simulators.http import MAX_HEAD, HttpRequest, HttpResponse, converse
from simulators.mqtt import MqttListener
from simulators.stamps import now_ms, stamp

TOPICS = tuple(f"vexplor/devices/+/{kind}" for kind in ("data", "status", "responses", "events"))


@dataclass(slots=True)
class FleetRecord:
    """What was asked of the server: all requests, those for a config, those answered 304; the newest 10,000."""

    requests: int = 0
    config_requests: int = 0
    not_modified: int = 0
    seen: deque[HttpRequest] = field(default_factory=lambda: deque(maxlen=10_000))


class FleetServer:
    """``async with FleetServer(broker_url=broker.url) as fleet`` serves at ``fleet.url`` until the block ends.

    `document` is what its edges get (see `Documents` for whose it is), `document_file` the same from a file that
    is watched; both can be changed while it runs. Without `broker_url` it only serves configs. With
    `persistent_session` the broker keeps messages for it while it is away. `faults` spoils the config API,
    `store` holds the rows, `record` counts the requests: ``fleet.record = FleetRecord()`` starts anew.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        broker_url: str | None = None,
        document: Mapping[str, object] | None = None,
        document_file: Path | None = None,
        max_rows: int = 100_000,
        persistent_session: bool = False,
    ) -> None:
        self.faults = HttpFaults()
        self.record = FleetRecord()
        self.store = Store(max_rows)
        self.documents = Documents(document_file)
        if document is not None:
            self.documents.put(document)
        self._routes = Routes(self.documents, self.store)
        self._door = Door(self._serve, host=host, port=port, limit=MAX_HEAD)
        self._running = False
        self._command_numbers = itertools.count(1)
        self._awaited: dict[str, asyncio.Future[Mapping[str, object]]] = {}
        self.listener = self._new_listener(broker_url, persistent=persistent_session) if broker_url else None
        self.faults.on_change = self._go_up_or_down

    @property
    def port(self) -> int:
        """Where it listens; the same over ``faults.down``."""
        return self._door.port

    @property
    def url(self) -> str:
        """``http://127.0.0.1:PORT``, what `EDGE_SERVER_URL` wants."""
        host = f"[{self._door.host}]" if ":" in self._door.host else self._door.host
        return f"http://{host}:{self.port}"

    @property
    def document(self) -> Document | None:
        """The document for all registered edges, else the only one there is."""
        own = list(self.documents.own.values())
        return self.documents.template or (own[0] if len(own) == 1 else None)

    @document.setter
    def document(self, document: Mapping[str, object]) -> None:
        self.documents.put(document)

    def edit(self, change: Callable[[Document], object], edge_id: str | None = None) -> None:
        """Let `change` alter the document, which then has a new version: see `Documents.edit`."""
        self.documents.edit(change, edge_id)

    async def command(
        self, edge_id: str, command: str, params: Mapping[str, object] | None = None, *, timeout_s: float = 10.0
    ) -> Mapping[str, object]:
        """Send a command and wait for its response. Raises `ConnectionError` without a broker, `TimeoutError`."""
        command_id = f"fleet-{now_ms()}-{next(self._command_numbers)}"
        letter = {"command_id": command_id, "command": command, "params": params or {}, "timestamp": stamp()}
        self._awaited[command_id] = asyncio.get_running_loop().create_future()
        try:
            topic = f"vexplor/devices/{edge_id}/commands"
            if self.listener is None or not self.listener.publish(topic, orjson.dumps(letter)):
                raise ConnectionError(f"command {command} was not sent: no connection to the broker")
            return await asyncio.wait_for(self._awaited[command_id], timeout_s)
        finally:
            del self._awaited[command_id]

    async def __aenter__(self) -> Self:
        self._running = True
        self._go_up_or_down()
        if self.listener is not None:
            await self.listener.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        if self.listener is not None:
            await self.listener.__aexit__(kind, error, trace)
        await self._door.close()

    def _new_listener(self, broker_url: str, *, persistent: bool) -> MqttListener:
        client_id = "fleet-simulator" if persistent else ""
        return MqttListener(broker_url, self._heard, topics=TOPICS, client_id=client_id, persistent=persistent)

    def _go_up_or_down(self) -> None:
        if self.faults.down and self._door.is_open:
            self._door.shut()
            self._door.drop()
        elif self._running and not self.faults.down:
            self._door.open()

    def _heard(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        responses = len(self.store.responses)
        self.store.feed(topic, payload, received_at_ms)
        if topic.endswith("/status"):
            for edge_id in self.store.edges:
                self.documents.register(edge_id)
        elif topic.endswith("/responses") and len(self.store.responses) > responses:
            self._hand_over(self.store.responses[-1])

    def _hand_over(self, response: Mapping[str, object]) -> None:
        waiting = self._awaited.get(str(response.get("command_id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(response)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await converse(reader, writer, self._answer)

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        self.record.requests += 1
        self.record.seen.append(request)
        response = self._routes.answer(request)
        if request.method == "GET" and self._routes.is_config(request.path):
            self.record.config_requests += 1
            response = await self.faults.spoil(response)
            self.record.not_modified += response.status == 304
        return response
