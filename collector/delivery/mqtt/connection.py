"""One connection to an MQTT broker, driven by the event loop.

A connection lives once: it is opened, used, and lost or closed. paho's own queue, reconnection and window are
not used: the outbox knows better.
"""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.delivery.mqtt.client import BrokerClient
from collector.delivery.mqtt.options import MqttVersion
from collector.delivery.mqtt.reasons import words

_TCP_INFO_BYTES = 192
_BYTES_ACKED = 120
"""The offset of ``tcpi_bytes_acked``."""

_MISC_EVERY_S = 1.0
_RECEIVE_MAXIMUM = 65_535


@dataclass(frozen=True, slots=True)
class Lost:
    """The end of a connection, in words. `code` is the broker's, if it gave one.

    `malformed`: what the broker sent could not be understood, e.g. a refusal with a code that is not allowed.
    `closed_by_broker`: it was the other side, or the network, that ended it.
    """

    words: str
    code: int | None = None
    malformed: bool = False
    closed_by_broker: bool = False


class Listener(Protocol):
    """Who is told what happens on a connection. Nothing is told after `lost`."""

    def acknowledged(self, packet_id: int, code: int) -> None:
        """PUBACK."""
        ...

    def received(self, payload: bytes, retained: bool) -> None:
        """A message on a topic subscribed to."""
        ...

    def subscribed(self, refused: int | None) -> None:
        """SUBACK, with the code of the refusal if it was one."""
        ...

    def lost(self, lost: Lost) -> None:
        """The connection is over, by whomever."""
        ...


class MqttConnection:
    """A live connection. Synchronous calls never block and never raise.

    What is published waits for `flush`, which writes at once what the line takes: waiting for the event loop to find
    that it does would be a turn of the loop for each message.
    """

    def __init__(self, client: BrokerClient, version: MqttVersion) -> None:
        self.version = version
        self.receive_maximum = _RECEIVE_MAXIMUM
        self.maximum_packet_size: int | None = None
        self.maximum_qos = 2
        self.server_keep_alive_s: int | None = None
        self._client = client
        self._listener: Listener | None = None
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[int | None] = self._loop.create_future()
        self._over: asyncio.Future[Lost] = self._loop.create_future()
        self._misc: asyncio.TimerHandle | None = None
        self._reading = False
        self._publishing = False
        self._writing = False
        sock = client.socket()
        self._descriptor = -1 if sock is None else sock.fileno()
        self._socket = None if sock is None else socket.socket(fileno=self._descriptor)

    def listen(self, listener: Listener) -> None:
        """Tell `listener` from now on; at once, if the connection is over already."""
        self._listener = listener
        if self._over.done():
            listener.lost(self._over.result())

    def publish(self, topic: str, payload: bytes) -> int:
        """Queue with QoS 1, for `flush`; returns the packet id that `Listener.acknowledged` will name."""
        self._publishing = True
        try:
            info = self._client.publish(topic, payload, qos=1)
        finally:
            self._publishing = False
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._loop.call_soon(self.drop, Lost("the connection took no message"))
        return info.mid

    def flush(self) -> None:
        """Send what was published. The listener may be told here that the connection is lost."""
        if self._reading or not self._client.want_write():
            return  # paho's callbacks are no place to write: what they give rise to goes right after them
        self._drive(self._client.loop_write)
        if self._client.want_write():
            self._start_writing()

    @property
    def unanswered(self) -> int:
        """How many of the messages have no PUBACK yet."""
        return self._client.unanswered

    def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribe with QoS 1."""
        self._client.subscribe([(topic, 1) for topic in topics])

    def traffic(self) -> tuple[int, int]:
        """Bytes that wait for the line, and bytes that have arrived at the broker's machine so far (Linux)."""
        if self._socket is None or not sys.platform.startswith("linux"):
            return 0, 0
        (waiting,) = struct.unpack("i", fcntl.ioctl(self._descriptor, termios.TIOCOUTQ, b"\0\0\0\0"))
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
        arrived = int.from_bytes(info[_BYTES_ACKED : _BYTES_ACKED + 8], sys.byteorder)
        return int(waiting), arrived

    async def disconnect(self, timeout_s: float) -> None:
        """Say goodbye, so that the broker does not publish the last will, and close."""
        if self._socket is not None:
            self._client.disconnect()
            await asyncio.wait([self._over], timeout=timeout_s)
        self.drop(Lost("closed"))

    def drop(self, lost: Lost) -> None:
        """Close at once, without goodbye. May be called twice."""
        self._let_go()
        if not self._answer.done():
            self._answer.set_result(None)
        if not self._over.done():
            self._over.set_result(lost)
            if self._listener is not None:
                self._listener.lost(lost)

    # --- life

    def attach(self) -> None:
        """From now on the loop drives the connection; the thread that opened it is done."""
        client = self._client
        client.on_connect = self._on_connack
        client.on_publish = self._on_puback
        client.on_taken = self._on_taken
        client.on_message = self._on_message
        client.on_subscribe = self._on_suback
        client.on_disconnect = self._on_disconnect
        if self._socket is None:
            self.drop(Lost("closed by the broker", closed_by_broker=True))
            return
        client.on_socket_close = lambda *_: self._let_go()
        client.on_socket_register_write = lambda *_: self._start_writing()
        client.on_socket_unregister_write = lambda *_: self._stop_writing()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._loop.add_reader(self._descriptor, self._read)
        if client.want_write():
            self._start_writing()
        self._keep_alive()

    async def connack(self, timeout_s: float) -> int | None:
        """The code of the broker's answer; None when it closed, or was silent for `timeout_s`."""
        await asyncio.wait([self._answer], timeout=timeout_s)
        return self._answer.result() if self._answer.done() else None

    def _read(self) -> None:
        self._reading = True
        self._drive(self._client.loop_read)
        self._reading = False
        self.flush()
        if self._socket is None:
            return
        if self.unanswered and hasattr(socket, "TCP_QUICKACK"):
            # The kernel forgets it. Without, a broker with Nagle's algorithm on holds PUBACKs back for 40 ms.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        pending = getattr(self._client.socket(), "pending", None)
        if pending is not None and pending():
            # TLS has read ahead of us: the descriptor will not tell.
            self._loop.call_soon(self._read)

    def _start_writing(self) -> None:
        if self._socket is None or self._publishing or self._writing:
            return
        self._writing = True
        try:
            self._loop.add_writer(self._descriptor, self._drive, self._client.loop_write)
        except (OSError, RuntimeError) as error:  # the loop has given the descriptor up: nothing will be heard of it
            self._loop.call_soon(self.drop, Lost(f"the connection can not be watched any more: {error}"))

    def _stop_writing(self) -> None:
        if self._socket is not None and self._writing:
            self._writing = False
            self._loop.remove_writer(self._descriptor)

    def _keep_alive(self) -> None:
        self._drive(self._client.loop_misc)
        if self._socket is not None:
            self._misc = self._loop.call_later(_MISC_EVERY_S, self._keep_alive)

    def _drive(self, step: "Step") -> None:
        if self._socket is None:
            return
        try:
            step()
        except Exception as error:  # noqa: BLE001 - paho meets bytes of a stranger here; they may cost the connection only
            self.drop(Lost(f"what the broker sent could not be understood: {error!r}", malformed=True))

    def _let_go(self) -> None:
        if self._socket is None:
            return
        self._loop.remove_reader(self._descriptor)
        self._loop.remove_writer(self._descriptor)
        self._socket.detach()
        self._socket = None
        if self._misc is not None:
            self._misc.cancel()
        client = self._client
        client.on_socket_close = client.on_socket_register_write = client.on_socket_unregister_write = None
        if (sock := client.socket()) is not None:
            sock.close()

    # --- what paho tells

    def _on_connack(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        self.receive_maximum = getattr(properties, "ReceiveMaximum", _RECEIVE_MAXIMUM)
        self.maximum_packet_size = getattr(properties, "MaximumPacketSize", None)
        self.maximum_qos = getattr(properties, "MaximumQoS", 2)
        self.server_keep_alive_s = getattr(properties, "ServerKeepAlive", None)
        if not self._answer.done():
            self._answer.set_result(reason.value)

    def _on_taken(self, packet_id: int) -> None:
        if self._listener is not None:
            self._listener.acknowledged(packet_id, 0)

    def _on_puback(
        self, _client: Client, _data: object, packet_id: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        if self._listener is not None:
            self._listener.acknowledged(packet_id, reason.value)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._listener is not None:
            self._listener.received(bytes(message.payload), message.retain)

    def _on_suback(
        self, _client: Client, _data: object, _packet_id: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        if self._listener is not None:
            self._listener.subscribed(next((reason.value for reason in reasons if reason.is_failure), None))

    def _on_disconnect(
        self, _client: Client, _data: object, flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            lost = Lost(f"the broker disconnected: {words(reason.value)}", code=reason.value, closed_by_broker=True)
        else:
            lost = _LOST.get(reason.getName(), Lost("closed by the broker", closed_by_broker=True))
        self.drop(lost)


class Step(Protocol):
    """One of paho's loop functions."""

    def __call__(self) -> MQTTErrorCode: ...


_LOST = {
    "Keep alive timeout": Lost("no answer to keep-alive"),
    "Protocol error": Lost("what the broker sent could not be understood", malformed=True),
}
