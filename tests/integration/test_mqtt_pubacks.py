"""What a PUBACK says reaches the listener, whichever way it takes."""

import asyncio

import pytest
from paho.mqtt.client import Client as PahoClient

from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.opening import Identity, open_connection
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from tests.doubles.stub_broker import Client, Published, StubBroker


class Listener:
    """Notes the PUBACKs."""

    def __init__(self) -> None:
        self.codes: dict[int, int] = {}
        self._heard = asyncio.Condition()
        self._telling: set[asyncio.Task[None]] = set()

    def acknowledged(self, packet_id: int, code: int) -> None:
        self.codes[packet_id] = code
        self._telling.add(asyncio.ensure_future(self._tell()))

    async def until_heard(self, many: int) -> None:
        async with asyncio.timeout(10), self._heard:
            await self._heard.wait_for(lambda: len(self.codes) == many)

    async def _tell(self) -> None:
        async with self._heard:
            self._heard.notify_all()

    def received(self, payload: bytes, retained: bool) -> None:
        """Nobody sends commands here."""

    def subscribed(self, refused: int | None) -> None:
        """Nobody subscribes here."""

    def lost(self, lost: Lost) -> None:
        """At the end."""


@pytest.fixture
def long_ways(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The PUBACKs that paho itself takes apart."""
    taken: list[bytes] = []
    original = PahoClient._handle_pubackcomp

    def noted(self: PahoClient, cmd: str) -> object:
        taken.append(bytes(self._in_packet["packet"]))
        return original(self, cmd)  # type: ignore[arg-type]

    monkeypatch.setattr(PahoClient, "_handle_pubackcomp", noted)
    return taken


async def published(broker: StubBroker, version: MqttVersion, codes: list[int]) -> tuple[MqttConnection, Listener]:
    """A message for each code that the broker answers with, once all are answered."""
    listener = Listener()
    connection = await open_connection(MqttOptions("127.0.0.1", broker.port), Identity("edge"), [version])
    connection.listen(listener)
    for _ in codes:
        connection.publish("data", b"{}")
    connection.flush()
    await listener.until_heard(len(codes))
    return connection, listener


@pytest.mark.parametrize("version", MqttVersion)
async def test_success_takes_the_short_way(version: MqttVersion, long_ways: list[bytes]) -> None:
    async with StubBroker() as broker:
        connection, listener = await published(broker, version, [0, 0, 0])
        assert set(listener.codes.values()) == {0}
        assert not long_ways
        assert connection.unanswered == 0
        await connection.disconnect(1)


async def test_all_else_is_taken_apart(long_ways: list[bytes]) -> None:
    codes = [0, 0x10, 0x97, 0]

    def answer(_client: Client, message: Published) -> int:
        return codes[message.packet_id - 1]

    async with StubBroker(answer=answer) as broker:
        connection, listener = await published(broker, MqttVersion.V5, codes)
        assert [listener.codes[packet_id] for packet_id in sorted(listener.codes)] == codes
        assert [packet[2] for packet in long_ways] == [0x10, 0x97]
        assert connection.unanswered == 0
        await connection.disconnect(1)


async def test_one_that_nobody_waits_for_is_passed_over() -> None:
    async with StubBroker() as broker:
        connection, listener = await published(broker, MqttVersion.V5, [0])
        broker.clients[0].unanswered += 1
        broker.clients[0].puback(Published("data", b"", 77, dup=False), 0)
        connection.publish("data", b"{}")
        connection.flush()
        await listener.until_heard(2)
        assert 77 not in listener.codes
        await connection.disconnect(1)
