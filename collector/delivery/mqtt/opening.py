"""Opening a connection: name, TCP, TLS, CONNECT, and which protocol version the broker speaks."""

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from collector.delivery.message import Message
from collector.delivery.mqtt.blocking import in_daemon_thread
from collector.delivery.mqtt.client import BrokerClient
from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.errors import ConnectFailed, ConnectRefused, NotUnderstood
from collector.delivery.mqtt.options import MqttOptions, MqttVersion

_RESOLVE_S = 5.0
_CONNECT_S = 10.0
_ANSWER_S = 10.0
_SILENCE_S = 3.0
_LARGEST_INCOMING = 1 << 20
_PROTOCOLS = {MqttVersion.V5: MQTTProtocolVersion.MQTTv5, MqttVersion.V311: MQTTProtocolVersion.MQTTv311}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who connects: read anew for each connection, because the edge id may be corrected before the first."""

    client_id: str
    will: Message | None = None


async def open_connection(options: MqttOptions, identity: Identity, versions: Sequence[MqttVersion]) -> MqttConnection:
    """Connect with the first of `versions` that the broker understands. Raises `ConnectFailed`. Safe to cancel.

    A broker that answers CONNECT with silence or a close may not know the version: the next one is tried at once.
    """
    for version in versions[:-1]:
        try:
            return await _attempt(options, identity, version, _SILENCE_S)
        except ConnectFailed as problem:
            if not problem.try_older:
                raise
    return await _attempt(options, identity, versions[-1], _ANSWER_S)


async def _attempt(options: MqttOptions, identity: Identity, version: MqttVersion, answer_s: float) -> MqttConnection:
    client = await _reach(options, identity, version)
    connection = MqttConnection(client, version)
    try:
        connection.attach()
        code = await connection.connack(answer_s)
        if code is None:
            raise NotUnderstood(f"{options.url} accepted the connection, but did not answer CONNECT")
        if code:
            raise ConnectRefused(options.url, code)
    except BaseException:
        connection.drop(Lost("never opened"))
        raise
    return connection


async def _reach(options: MqttOptions, identity: Identity, version: MqttVersion) -> BrokerClient:
    """A client whose TCP connection stands and whose CONNECT is on its way."""

    def resolve() -> object:
        return socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)

    def connect() -> BrokerClient:
        client = _client(options, identity, version)
        properties = None
        if version is MqttVersion.V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = _LARGEST_INCOMING
        client.connect(options.host, options.port, options.keepalive_s, properties=properties)
        return client

    try:
        await in_daemon_thread(resolve, _RESOLVE_S, lambda _: None)
        return await in_daemon_thread(connect, _CONNECT_S - _RESOLVE_S, _abandon)
    except (OSError, ValueError) as error:
        raise ConnectFailed(_in_words(options, error)) from error


def _client(options: MqttOptions, identity: Identity, version: MqttVersion) -> BrokerClient:
    client = BrokerClient(
        CallbackAPIVersion.VERSION2,
        identity.client_id,
        protocol=_PROTOCOLS[version],
        transport=options.transport,
        reconnect_on_failure=False,
    )
    # No limit of its own, which would also cost it a scan of all that is in flight at every PUBACK.
    client.max_inflight_messages_set(0)
    client.connect_timeout = _CONNECT_S - _RESOLVE_S
    if identity.will is not None:
        client.will_set(identity.will.topic, identity.will.payload, qos=1)
    if options.username is not None:
        client.username_pw_set(options.username, options.renewed_password() or options.password)
    if options.tls is not None:
        client.tls_set_context(options.tls.context())
    if options.transport == "websockets":
        client.ws_set_options(options.path)
    return client


def _abandon(client: BrokerClient) -> None:
    if (sock := client.socket()) is not None:
        sock.close()


def _in_words(options: MqttOptions, error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return f"cannot resolve the broker's name {options.host!r}: {error.strerror}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"{options.url}: the broker's certificate is not accepted: {error.verify_message} (MQTT_CA_FILE)"
    if isinstance(error, ssl.SSLError):
        return f"{options.url}: TLS failed: {error.reason or error}"
    if isinstance(error, TimeoutError):
        return f"cannot reach {options.url}: no answer in time"
    return f"cannot reach {options.url}: {getattr(error, 'strerror', None) or error}"
