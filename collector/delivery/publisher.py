"""Keeps the broker connection up and the outbox flowing through it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from collector.clock import Clock
from collector.delivery.backoff import Backoff
from collector.delivery.caution import Caution
from collector.delivery.message import Message
from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.errors import ConnectFailed
from collector.delivery.mqtt.opening import Identity, open_connection
from collector.delivery.mqtt.options import MqttOptions
from collector.delivery.outbox import Outbox
from collector.delivery.session import OnCommand, Session
from collector.status.board import Board

_GOODBYE_S = 1.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Address:
    """Who we are at the broker. Asked for anew at each connect: the edge id may be corrected before the first."""

    client_id: str
    status_topic: str
    will: bytes
    command_topics: tuple[str, ...] = ()


class Publisher:
    """One task (`run`). Everything is synchronous towards the rest of the collector and belongs to its loop.

    `ready`: set once the configuration was asked for; before, no connection is made. `on_connected` is called
    after each CONNACK and may `publish_status`. `on_command` gets a command's payload and its retained flag.
    """

    def __init__(
        self,
        outbox: Outbox,
        options: MqttOptions,
        address: Callable[[], Address],
        *,
        board: Board,
        clock: Clock,
        ready: asyncio.Event,
        on_connected: Callable[[], None],
        on_command: OnCommand,
        reconnect_max_s: float = 30.0,
    ) -> None:
        self._outbox = outbox
        self._options = options
        self._address = address
        self._board = board
        self._clock = clock
        self._ready = ready
        self._on_connected = on_connected
        self._on_command = on_command
        self._backoff = Backoff(reconnect_max_s)
        self._caution = Caution()
        self._versions = options.versions
        self._session: Session | None = None
        self._connection: MqttConnection | None = None
        self._status_topic = ""
        self._stopping = asyncio.Event()
        self._told: set[str] = set()

    async def run(self) -> None:
        """Connect, deliver, and connect again, until `drain` or cancelled."""
        self._board.broker.url = self._options.url
        await self._ready.wait()
        self._outbox.announce_start()
        while not self._stopping.is_set():
            try:
                await self._connect_and_deliver()
            except ConnectFailed as problem:
                self._went_down(str(problem))
            await self._pause(self._backoff.next_s())

    def publish_status(self, payload: bytes) -> None:
        """Send a status now, before anything else. Without a connection it is dropped: the next one is newer."""
        if self._session is not None:
            self._session.send_status(Message(self._status_topic, payload))

    def renew(self) -> None:
        """Connect anew: who we are at the broker has changed."""
        if self._connection is not None:
            self._connection.drop(Lost("the edge is known by another spelling from now on"))

    async def drain(self, timeout_s: float, farewell: Callable[[], bytes] | None = None) -> None:
        """Stop: wait for the PUBACKs of what is not safe on disk, publish the farewell status, disconnect.

        Takes at most `timeout_s` and a second; what is not acknowledged by then stays in the outbox.
        """
        self._stopping.set()
        session, connection = self._session, self._connection
        if session is None or connection is None:
            return
        session.finish()
        await self._until_quiet(session, timeout_s)
        if farewell is not None and not session.over.done():
            session.quiet.clear()
            self.publish_status(farewell())
            await self._until_quiet(session, _GOODBYE_S / 2)
        await connection.disconnect(_GOODBYE_S / 2)

    async def _connect_and_deliver(self) -> None:
        address = self._address()
        identity = Identity(address.client_id, Message(address.status_topic, address.will))
        connection = await open_connection(self._options, identity, self._versions)
        try:
            lost = await self._deliver(connection, address)
        finally:
            self._session = self._connection = None
            connection.drop(Lost("stopped"))
            self._board.broker.connected, self._board.broker.since_ms = False, self._clock.wall_ms()
        if not self._stopping.is_set():
            self._went_down(lost.words)

    async def _deliver(self, connection: MqttConnection, address: Address) -> Lost:
        session = Session(
            connection,
            self._outbox,
            self._caution,
            board=self._board,
            clock=self._clock,
            on_progress=self._made_progress,
            on_command=self._on_command,
        )
        self._session, self._connection, self._status_topic = session, connection, address.status_topic
        self._came_up(connection)
        session.start()
        self._on_connected()
        if address.command_topics:
            connection.subscribe(address.command_topics)
        session.fill()
        return await session.over

    def _came_up(self, connection: MqttConnection) -> None:
        self._versions = (connection.version,)
        self._told_down = False
        broker = self._board.broker
        broker.connected, broker.since_ms, broker.error = True, self._clock.wall_ms(), None
        broker.protocol = connection.version.value
        broker.connects += 1
        log.info("connected to the broker", url=self._options.url, mqtt=connection.version.value)

    def _went_down(self, problem: str) -> None:
        self._board.broker.error = problem
        if problem not in self._told:
            self._told.add(problem)
            log.warning("no connection to the broker", url=self._options.url, reason=problem)
        if self._caution.stalled:
            self._board.raise_condition("ack_stalled", "the broker takes messages and acknowledges none")

    def _made_progress(self) -> None:
        self._backoff.reset()
        self._board.clear_condition("ack_stalled")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _until_quiet(self, session: Session, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await session.quiet.wait()
