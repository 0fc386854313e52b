"""A broker that misbehaves on request: just enough of MQTT 3.1.1 and 5 to take QoS 1 messages and answer wrongly."""

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = (
    0x10, 0x20, 0x30, 0x40, 0x80, 0x90, 0xC0, 0xD0, 0xE0,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """A message as it came in."""

    topic: str
    payload: bytes
    packet_id: int
    dup: bool


@dataclass(slots=True)
class Client:
    """One connection that a client made. `level` is 4 for MQTT 3.1.1, 5 for MQTT 5."""

    level: int
    client_id: str
    writer: asyncio.StreamWriter
    heard: list[int] = field(default_factory=list)
    """The kinds of the packets that came after CONNECT, in their order."""
    published: list[Published] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)
    unanswered: int = 0
    most_unanswered: int = 0
    said_goodbye: bool = False
    subscribe_id: bytes = b""

    def send(self, kind: int, body: bytes) -> None:
        """Send a packet."""
        self.writer.write(bytes([kind]) + _length(len(body)) + body)

    def puback(self, message: Published, code: int) -> None:
        """Answer a message; MQTT 3.1.1 knows no codes."""
        self.unanswered -= 1
        body = struct.pack("!H", message.packet_id)
        self.send(PUBACK, body + bytes([code, 0]) if self.level == 5 and code else body)

    def suback(self, code: int) -> None:
        """Answer the last SUBSCRIBE."""
        self.send(SUBACK, self.subscribe_id + (b"\0" if self.level == 5 else b"") + bytes([code]))

    def deliver(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Send the client a message with QoS 0."""
        name = topic.encode()
        properties = b"\0" if self.level == 5 else b""
        self.send(PUBLISH | int(retained), struct.pack("!H", len(name)) + name + properties + payload)

    def disconnect(self, code: int) -> None:
        """Close with a reason (MQTT 5)."""
        self.send(DISCONNECT, bytes([code, 0]))
        self.writer.close()


Answer = Callable[[Client, Published], int | None]


def accept(_client: Client, _message: Published) -> int | None:
    """PUBACK with success."""
    return 0


class StubBroker:
    """``async with StubBroker() as broker`` listens on ``broker.port``.

    `levels`: MQTT versions it answers; others meet silence, or a close with `close_unknown`. `connack`: the code it
    answers CONNECT with. `answer`: gives the PUBACK code for a message, None for silence; it may also close.
    `suback`: the code it answers SUBSCRIBE with, None to close without a word; with `withhold_suback` the test does.
    `properties`: raw CONNACK properties.
    """

    def __init__(
        self,
        *,
        levels: tuple[int, ...] = (4, 5),
        close_unknown: bool = False,
        connack: int = 0,
        suback: int | None = 1,
        withhold_suback: bool = False,
        properties: bytes = b"",
        answer: Answer = accept,
    ) -> None:
        self.levels = levels
        self.close_unknown = close_unknown
        self.connack = connack
        self.suback = suback
        self.withhold_suback = withhold_suback
        self.properties = properties
        self.answer = answer
        self.clients: list[Client] = []
        self.attempts: list[int] = []
        self.changed = asyncio.Condition()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def messages(self) -> list[Published]:
        """All that came in, over all connections."""
        return [message for client in self.clients for message in client.published]

    async def until(self, true: Callable[[], bool], timeout_s: float = 10) -> None:
        """Wait until something that clients do makes it true."""
        async with asyncio.timeout(timeout_s), self.changed:
            await self.changed.wait_for(true)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.append(writer)
        try:
            await self._converse(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, body = await _packet(reader)
        client = _connected(body, writer)
        self.attempts.append(client.level)
        await self._tell()
        if client.level not in self.levels:
            if not self.close_unknown:
                await reader.read()
            return
        properties = _length(len(self.properties)) + self.properties if client.level == 5 else b""
        client.send(CONNACK, bytes([0, self.connack]) + properties)
        if self.connack:
            await writer.drain()
            return
        self.clients.append(client)
        while not writer.is_closing():
            kind, body = await _packet(reader)
            self._handle(client, kind, body)
            await self._tell()
            await writer.drain()

    def _handle(self, client: Client, kind: int, body: bytes) -> None:
        client.heard.append(kind & 0xF0)
        if kind & 0xF0 == PUBLISH:
            message = _published(client.level, kind, body)
            client.published.append(message)
            client.unanswered += 1
            client.most_unanswered = max(client.most_unanswered, client.unanswered)
            code = self.answer(client, message)
            if code is not None:
                client.puback(message, code)
        elif kind & 0xF0 == SUBSCRIBE:
            start = 3 if client.level == 5 else 2
            size = struct.unpack_from("!H", body, start)[0]
            client.subscriptions.append(body[start + 2 : start + 2 + size].decode())
            if self.suback is None:
                client.writer.close()
                return
            client.subscribe_id = body[:2]
            if not self.withhold_suback:
                client.suback(self.suback)
        elif kind & 0xF0 == PINGREQ:
            client.send(PINGRESP, b"")
        elif kind & 0xF0 == DISCONNECT:
            client.said_goodbye = True

    async def _tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()


def _length(size: int) -> bytes:
    encoded = b""
    while True:
        size, digit = divmod(size, 128)
        encoded += bytes([digit | 0x80 if size else digit])
        if not size:
            return encoded


async def _packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    kind = (await reader.readexactly(1))[0]
    size = shift = 0
    while True:
        digit = (await reader.readexactly(1))[0]
        size |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            return kind, await reader.readexactly(size)


def _connected(body: bytes, writer: asyncio.StreamWriter) -> Client:
    level = body[6]
    start = 10
    if level == 5:
        start += 1 + body[start]
    size = struct.unpack_from("!H", body, start)[0]
    return Client(level, body[start + 2 : start + 2 + size].decode(), writer)


def _published(level: int, kind: int, body: bytes) -> Published:
    size = struct.unpack_from("!H", body)[0]
    topic = body[2 : 2 + size].decode()
    (packet_id,) = struct.unpack_from("!H", body, 2 + size)
    start = 4 + size
    if level == 5:
        start += 1 + body[start]
    return Published(topic, body[start:], packet_id, bool(kind & 0x08))
