"""A connection to a broker for those who listen in: the one place of the simulators that knows paho."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self, TypeAlias

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from simulators.address import BrokerAddress
from simulators.stamps import now_ms

OnMessage: TypeAlias = Callable[[str, bytes, int], None]
"""Called on the event loop with topic, payload, and when it came in (wall milliseconds)."""

_VERSIONS = {"3.1.1": paho.MQTTv311, "5": paho.MQTTv5}
_FIRST_RETRY_S = 0.05
_LAST_RETRY_S = 2.0
_KEEPALIVE_S = 15
_CONNECT_TIMEOUT_S = 3.0
_ANSWER_TIMEOUT_S = 3.0
_LAST_WORDS_S = 2.0
_HOUSEKEEPING_S = 1.0


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we vanish."""

    topic: str
    payload: bytes


class MqttListener:
    """Stays connected to a broker and hands on what it hears on `topics` (QoS 1); may speak too.

    ``async with MqttListener(url, heard, topics=("vexplor/devices/+/data",))`` enters when the subscriptions
    stand or the first try has failed; from then on it tries again by itself. With a `client_id` and `persistent`
    the broker keeps what comes while it is away. `on_message` must not raise.
    """

    def __init__(
        self,
        url: str,
        on_message: OnMessage,
        *,
        topics: Sequence[str] = (),
        version: str = "3.1.1",
        client_id: str = "",
        persistent: bool = False,
        will: Will | None = None,
        ca_file: str | None = None,
    ) -> None:
        if version not in _VERSIONS:
            raise ValueError(f"MQTT version {version!r} is unknown; expected one of {', '.join(_VERSIONS)}")
        if persistent and (not client_id or version != "3.1.1"):
            raise ValueError("a persistent listener needs a client_id, and version 3.1.1")
        self._address = BrokerAddress.parse(url)
        self._on_message = on_message
        self._topics = tuple(topics)
        self._version = version
        self._client_id = client_id
        self._persistent = persistent
        self._will = will
        self._ca_file = ca_file
        self._client: paho.Client | None = None
        self._tried = asyncio.Event()
        self._standing = asyncio.Event()
        self._lost = asyncio.Event()
        self._acknowledged = asyncio.Event()
        self._last_mid = 0
        self._task: asyncio.Task[None] | None = None
        self.error: str | None = None

    @property
    def connected(self) -> bool:
        """Whether the subscriptions stand."""
        return self._standing.is_set()

    async def connection(self) -> None:
        """Wait until the subscriptions stand, for ever if need be."""
        await self._standing.wait()

    async def ready(self, timeout_s: float = 10.0) -> None:
        """Wait until the subscriptions stand. Raises `TimeoutError` with what was in the way."""
        try:
            await asyncio.wait_for(self.connection(), timeout_s)
        except TimeoutError:
            where = f"{self._address.host}:{self._address.port}"
            raise TimeoutError(f"no subscription at {where} in {timeout_s:g} s: {self.error}") from None

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Send one message; False when there is no connection, and then it is not kept."""
        if self._client is None or not self.connected:
            return False
        sent = self._client.publish(topic, payload, qos=qos, retain=retain)
        if sent.rc is not paho.MQTT_ERR_SUCCESS:
            return False
        self._last_mid = sent.mid
        self._acknowledged.clear()
        return True

    async def __aenter__(self) -> Self:
        self._task = asyncio.get_running_loop().create_task(self._stay_connected())
        await self._tried.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._task is not None:
            if self.connected:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._acknowledged.wait(), _LAST_WORDS_S)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _stay_connected(self) -> None:
        wait_s = _FIRST_RETRY_S
        while True:
            try:
                if await self._one_connection():
                    wait_s = _FIRST_RETRY_S
            except (OSError, ValueError) as problem:  # ValueError: no host can be called so
                self.error = str(problem) or type(problem).__name__
            self._tried.set()
            await asyncio.sleep(wait_s)
            wait_s = min(2 * wait_s, _LAST_RETRY_S)

    async def _one_connection(self) -> bool:
        """Connect and stay until it is lost; whether the subscriptions ever stood."""
        client = self._new_client()
        self._lost.clear()
        self._acknowledged.set()
        await self._connect(client)
        self._client = client
        try:
            with _driven_by_loop(client):
                await self._attend(client)
            return self.connected
        finally:
            self._client = None
            self._standing.clear()

    async def _attend(self, client: paho.Client) -> None:
        """See to the keep-alive until the connection is lost, or given up for want of an answer."""
        loop = asyncio.get_running_loop()
        answer_by = loop.time() + _ANSWER_TIMEOUT_S
        while not await _set_within(self._lost, _HOUSEKEEPING_S):
            client.loop_misc()
            if not self.connected and loop.time() > answer_by:
                self._lose(f"the broker accepted, but did not answer in {_ANSWER_TIMEOUT_S:g} s")

    async def _connect(self, client: paho.Client) -> None:
        address = self._address
        connecting = asyncio.ensure_future(asyncio.to_thread(client.connect, address.host, address.port, _KEEPALIVE_S))
        try:
            await asyncio.shield(connecting)
        except asyncio.CancelledError:
            await asyncio.wait([connecting])  # a thread can not be cancelled, and what it opens must be closed
            if connecting.exception() is None:
                client.disconnect()
            raise

    def _new_client(self) -> paho.Client:
        address = self._address
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if self._version == "5" else not self._persistent,
            protocol=_VERSIONS[self._version],
            transport="websockets" if address.websockets else "tcp",
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        if address.username is not None:
            client.username_pw_set(address.username, address.password)
        if address.websockets:
            client.ws_set_options(path=address.path)
        if address.encrypted:
            client.tls_set_context(ssl.create_default_context(cafile=self._ca_file))
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_message = self._on_heard
        return client

    def _on_connect(
        self, client: paho.Client, data: object, flags: object, reason: ReasonCode, props: Properties | None
    ) -> None:
        if reason.is_failure:
            self._lose(f"the broker refused the connection: {reason}")
        elif self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        else:
            self._stand()

    def _on_subscribe(
        self, client: paho.Client, data: object, mid: int, reasons: list[ReasonCode], props: Properties | None
    ) -> None:
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self._lose(f"the broker refused a subscription: {refused}")
        else:
            self._stand()

    def _on_disconnect(
        self, client: paho.Client, data: object, flags: object, reason: ReasonCode, props: Properties | None
    ) -> None:
        self._lose(f"the connection ended: {reason}")

    def _on_publish(
        self, client: paho.Client, data: object, mid: int, reason: ReasonCode, props: Properties | None
    ) -> None:
        if mid == self._last_mid:
            self._acknowledged.set()

    def _on_heard(self, client: paho.Client, data: object, message: paho.MQTTMessage) -> None:
        self._on_message(message.topic, bytes(message.payload), now_ms())

    def _stand(self) -> None:
        self.error = None
        self._standing.set()
        self._tried.set()

    def _lose(self, why: str) -> None:
        if not self._lost.is_set():
            self.error = why
            self._lost.set()


@contextlib.contextmanager
def _driven_by_loop(client: paho.Client) -> Iterator[None]:
    """Read and write when the loop says so; disconnect at the end."""
    loop, connection = asyncio.get_running_loop(), client.socket()
    if connection is None:
        raise ConnectionError("the connection was lost at once")

    def forget(*_: object) -> None:
        loop.remove_reader(connection)
        loop.remove_writer(connection)

    def write_when_possible(*_: object) -> None:
        loop.add_writer(connection, client.loop_write)

    def write_no_more(*_: object) -> None:
        loop.remove_writer(connection)

    client.on_socket_close = forget
    client.on_socket_register_write = write_when_possible
    client.on_socket_unregister_write = write_no_more
    loop.add_reader(connection, _read, client)
    try:
        yield
    finally:
        client.disconnect()
        client.loop_write()
        if client.socket() is not None:  # what is left can not be written now
            forget()
            connection.close()


def _read(client: paho.Client) -> None:
    """Read once, and on while TLS or a websocket has buffered what the loop can not see."""
    while client.loop_read() is paho.MQTT_ERR_SUCCESS:
        pending = getattr(client.socket(), "pending", None)
        if pending is None or not pending():
            return


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    return event.is_set()
