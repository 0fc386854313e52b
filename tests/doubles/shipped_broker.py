"""A real Mosquitto under the configuration that `docker/mosquitto/` ships, and clients that say what came of it."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.doubles.documentation import ROOT
from tests.doubles.mosquitto import Mosquitto

SHIPPED = ROOT / "docker" / "mosquitto"
WITHIN_S = 5.0


@contextmanager
def shipped_broker(folder: Path, passwords: Path, tls: Mapping[str, Path] | None = None) -> Iterator[Mosquitto]:
    """The shipped file with the container's paths and ports replaced; with `tls` its commented listener is used."""
    text = (SHIPPED / "mosquitto.conf").read_text("utf-8")
    if tls is not None:
        text = text.replace("\n#   ", "\n")
    text = re.sub(r"^(listener \d+|#.*)$", "", text, flags=re.MULTILINE)
    for there, here in {
        "/mosquitto/config/passwords": passwords,
        "/mosquitto/config/acl": SHIPPED / "acl",
        "/mosquitto/data": folder,
        **{f"/mosquitto/config/{name}": file for name, file in (tls or {}).items()},
    }.items():
        text = text.replace(there, str(here))
    assert "/mosquitto/config" not in text
    with Mosquitto(lines=text.splitlines()) as broker:
        yield broker


def password_file(folder: Path, users: Mapping[str, str]) -> Path:
    """What `mosquitto_passwd` makes of them. Without Mosquitto the test is skipped; in CI it fails."""
    if shutil.which("mosquitto_passwd") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("needs mosquitto_passwd: apt-get install mosquitto")
    file = folder / "passwords"
    file.touch(mode=0o600)
    for user, password in users.items():
        subprocess.run(["mosquitto_passwd", "-b", str(file), user, password], check=True, capture_output=True)
    return file


class Somebody:
    """A client. ``with Somebody(port, "edge-a", "secret") as edge`` has been let in when the body begins."""

    def __init__(
        self,
        port: int,
        user: str | None,
        password: str | None = None,
        *,
        will: str | None = None,
        certificate: tuple[Path, Path, Path] | None = None,
    ) -> None:
        self.heard: list[str] = []
        self._port = port
        self._connack: int | None = None
        self._pubacks: dict[int, int] = {}
        self._subscribed = 0
        client = self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        if user is not None:
            client.username_pw_set(user, password)
        if will is not None:
            client.will_set(will, b"{}", qos=1)
        if certificate is not None:
            ca, cert, key = certificate
            client.tls_set(str(ca), str(cert), str(key))
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    def connect(self) -> int:
        """The broker's answer; 0 is welcome."""
        self._client.connect("localhost", self._port)
        self._until(lambda: self._connack is not None)
        return self._connack or 0

    def publish(self, topic: str) -> int:
        """The PUBACK's reason code: under 128 it was taken."""
        packet = self._client.publish(topic, b"{}", qos=1).mid
        self._until(lambda: packet in self._pubacks)
        return self._pubacks[packet]

    def subscribe(self, *filters: str) -> None:
        """Ask for them. Mosquitto grants every filter, and withholds what may not be read."""
        self._subscribed = 0
        self._client.subscribe([(each, 1) for each in filters])
        self._until(lambda: self._subscribed > 0)

    def hears(self, topic: str) -> None:
        """Wait for a message there."""
        self._until(lambda: topic in self.heard)

    def die(self) -> None:
        """Close without a goodbye: the broker publishes the last will."""
        sock = self._client.socket()
        assert isinstance(sock, socket.socket)
        sock.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        assert self.connect() == 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop(0.01)

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"the broker said nothing in {WITHIN_S:g} s; heard so far: {self.heard}")
            self._client.loop(0.05)

    def _on_connect(
        self, _client: Client, _data: object, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        self._connack = reason.value

    def _on_publish(
        self, _client: Client, _data: object, packet: int, reason: ReasonCode, _properties: Properties
    ) -> None:
        self._pubacks[packet] = reason.value

    def _on_subscribe(
        self, _client: Client, _data: object, _packet: int, reasons: list[ReasonCode], _properties: Properties
    ) -> None:
        self._subscribed = len(reasons)

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        self.heard.append(message.topic)
