"""Counts what a broker passes on, and notes when."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import orjson
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

_TOPICS = "vexplor/devices/+/data"


@dataclass(frozen=True, slots=True)
class Received:
    """A data message and when it was there, in wall nanoseconds."""

    payload: bytes
    at_ns: int

    @property
    def stamp_ns(self) -> int:
        """The time that the message itself names."""
        return self.head[1]

    @property
    def head(self) -> tuple[int, int]:
        """Of which device (`connection_id`), and the time that the message itself names."""
        device, stamp_ns, _ = self.content
        return device, stamp_ns

    @property
    def content(self) -> tuple[int, int, dict[str, float]]:
        """The same, and the values by tag."""
        body = orjson.loads(self.payload)
        stamp_s = datetime.fromisoformat(body["timestamp"]).timestamp()
        return body["connection_id"], round(stamp_s * 1e9), body["tags"]

    @property
    def identity(self) -> tuple[str, int]:
        """Epoch and seq."""
        meta = orjson.loads(self.payload)["meta"]
        return meta["epoch"], meta["seq"]


class Subscriber:
    """``with Subscriber(port) as subscriber`` has subscribed to all data when the block begins. QoS 1."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._received: defaultdict[str, list[Received]] = defaultdict(list)
        self._awaited = "", 0
        self._news = threading.Condition()
        self._subscribed = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2)

    def of(self, edge_id: str) -> list[Received]:
        """What came from an edge, in order."""
        return list(self._received[edge_id])

    def until(self, edge_id: str, messages: int, timeout_s: float) -> None:
        """Wait until this many have come from an edge. Raises `TimeoutError`."""
        with self._news:
            self._awaited = edge_id, messages
            if not self._news.wait_for(self._enough, timeout_s):
                came = len(self._received[edge_id])
                raise TimeoutError(f"{came} of {messages} messages came from {edge_id} within {timeout_s:g} s")

    def forget(self, edge_id: str) -> None:
        """Let go of what came from an edge: a hundred thousand values a second are 2.5 MB/s."""
        self._received.pop(edge_id, None)

    def __enter__(self) -> Self:
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe(_TOPICS, qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError(f"the broker on port {self._port} took no subscription within 10 s")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        at_ns = time.time_ns()
        edge_id = message.topic.split("/")[2]
        with self._news:
            self._received[edge_id].append(Received(bytes(message.payload), at_ns))
            if self._enough():
                self._news.notify()

    def _enough(self) -> bool:
        edge_id, messages = self._awaited
        return len(self._received[edge_id]) >= messages
