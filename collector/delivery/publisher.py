"""Keeps the broker connection up and the outbox flowing through it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from collector.clock import Clock
from collector.delivery.address import Address
from collector.delivery.backoff import Backoff
from collector.delivery.lessons import Lessons
from collector.delivery.link_log import LinkLog
from collector.delivery.message import Message
from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.errors import ConnectFailed, ConnectRefused
from collector.delivery.mqtt.opening import Identity, open_connection
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from collector.delivery.mqtt.reasons import TAKEN_OVER
from collector.delivery.outbox import Outbox
from collector.delivery.pace import LiveRate
from collector.delivery.rivalry import Rivalry
from collector.delivery.session import OnCommand, Session
from collector.status.board import Board

_GOODBYE_S = 1.0


class Publisher:
    """One task (`run`). Everything is synchronous towards the rest of the collector and belongs to its loop.

    `ready`: set once the configuration was asked for; before, no connection is made. `on_connected` is called
    after each CONNACK and may `publish_status`, which is sent when the broker has answered the subscription, or has
    not within 3 s. `on_command` gets a command's payload and its retained flag.
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
        live_first: bool = False,
        replay_rate: float | None = None,
        install: str = "this one",
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
        self._rivalry = Rivalry(board, install)
        self._lessons = Lessons.none_yet(clock, board, replay_rate)
        self._live_first = live_first
        self._live_rate = LiveRate(outbox.last_seq, clock.monotonic())
        self._versions = options.versions
        self._session: Session | None = None
        self._connection: MqttConnection | None = None
        self._status_topic = ""
        self._stopping = asyncio.Event()
        self._connected_at = clock.monotonic()
        self._log = LinkLog(clock, options.url)

    async def run(self) -> None:
        """Connect, deliver, and connect again, until `drain` or cancelled."""
        self._board.broker.url = self._options.url
        await self._ready.wait()
        self._outbox.announce_start()
        while not self._stopping.is_set():
            try:
                await self._connect_and_deliver()
            except ConnectFailed as problem:
                if not isinstance(problem, ConnectRefused):
                    self._rivalry.nobody_there()
                self._went_down(str(problem))
            await self._pause((self._rivalry if self._rivalry.holding_back else self._backoff).next_s())

    async def answers(self) -> bool:
        """Whether the connection, if there is one, is looked after; the way to one has deadlines of its own."""
        return self._session is None or self._session.looks_after_itself

    def largest_body(self, topic: str) -> int:
        """How many bytes the payload of a new message may have, as far as the broker's limit is known."""
        return self._lessons.sizes.body_bytes(topic)

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

    def _consider_rival(self, lost: Lost, session: Session, client_id: str) -> None:
        # MQTT 5 brokers name a take-over; without the name, a line that breaks in mid-stream is just a bad line.
        taken_over = lost.code == TAKEN_OVER
        bad_line = session.unanswered and self._versions == (MqttVersion.V5,)
        explained = session.blamed_optional or self._lessons.caution.suspects or bad_line
        if taken_over or (lost.closed_by_broker and lost.code is None and not explained):
            now = self._clock.monotonic()
            lived_s = now - self._connected_at
            self._rivalry.closed(taken_over=taken_over, lived_s=lived_s, now=now, client_id=client_id)

    async def _deliver(self, connection: MqttConnection, address: Address) -> Lost:
        session = Session(
            connection,
            self._outbox,
            self._lessons,
            address,
            board=self._board,
            clock=self._clock,
            live_rate=self._live_rate,
            live_first=self._live_first,
            on_progress=self._made_progress,
            on_command=self._on_command,
        )
        self._session, self._connection, self._status_topic = session, connection, address.status_topic
        self._came_up(connection)
        session.start()
        session.subscribe()
        self._on_connected()
        session.fill()
        lost = await session.over
        self._consider_rival(lost, session, address.client_id)
        return lost

    def _came_up(self, connection: MqttConnection) -> None:
        self._versions = (connection.version,)
        self._connected_at = self._clock.monotonic()
        broker = self._board.broker
        broker.connected, broker.since_ms, broker.error = True, self._clock.wall_ms(), None
        broker.protocol = connection.version.value
        broker.connects += 1
        self._log.up(connection.version.value)

    def _went_down(self, problem: str) -> None:
        self._board.broker.error = problem
        self._log.down(problem)
        if self._lessons.caution.stalled:
            self._board.raise_condition("ack_stalled", "the broker takes messages and acknowledges none")

    def _made_progress(self) -> None:
        self._backoff.reset()
        self._rivalry.lives(self._clock.monotonic() - self._connected_at)
        self._board.clear_condition("ack_stalled")

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _until_quiet(self, session: Session, timeout_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await session.quiet.wait()
