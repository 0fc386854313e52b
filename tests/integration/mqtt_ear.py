"""Somebody who listens to everything a broker passes on."""

import asyncio
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.integration.delivery_rig import seq_of


class Ear:
    """``with Ear(port) as ear`` has subscribed to everything when the body begins.

    With a `name` the broker keeps its session, and what comes meanwhile, for the next of that name.
    """

    def __init__(self, port: int, name: str | None = None) -> None:
        self._port = port
        self._heard: list[tuple[str, bytes]] = []
        self._subscribed = False
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)
        self._client = Client(CallbackAPIVersion.VERSION2, name, clean_session=name is None)

    def payloads(self, topic: str) -> list[bytes]:
        """What was heard on a topic, in order."""
        return [payload for heard, payload in list(self._heard) if heard == topic]

    def seqs(self, topic: str) -> list[int]:
        """The seqs of the data heard on a topic."""
        return [seq_of(payload) for payload in self.payloads(topic)]

    def say(self, topic: str, payload: bytes) -> None:
        """Publish."""
        self._client.publish(topic, payload, qos=1)

    async def until(self, true: Callable[[], bool], timeout_s: float = 15) -> None:
        """Wait until enough was heard."""
        async with asyncio.timeout(timeout_s):
            while not true():
                await asyncio.sleep(0.01)

    def __enter__(self) -> Self:
        def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
            self._heard.append((message.topic, bytes(message.payload)))

        def subscribed(*_: object) -> None:
            self._subscribed = True

        self._client.on_message = hear
        self._client.on_subscribe = subscribed
        self._client.connect("127.0.0.1", self._port)
        self._client.subscribe("#", qos=1)
        while not self._subscribed:
            self._client.loop(0.1)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        self._thread.join()
        self._client.disconnect()

    def _listen(self) -> None:
        while not self._leaving.is_set():
            self._client.loop(0.02)
