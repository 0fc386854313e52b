"""Row B12: two hundred edges and one broker that dies again and again, on a loop whose time leaps."""

import asyncio
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence

import pytest

from collector.clock import Clock
from collector.delivery import publisher
from collector.delivery.address import Address
from collector.delivery.message import Entry
from collector.delivery.mqtt.connection import Listener, Lost
from collector.delivery.mqtt.errors import ConnectFailed
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from collector.delivery.publisher import Publisher
from collector.status.board import Board
from tests.doubles.clock import LeapingLoop, LoopClock

EDGES = 200
KILLS = 10
PEAK_PER_S = 20
CLOSED = Lost("closed by the broker", closed_by_broker=True)


class Nothing:
    """An outbox with nothing in it: here only the connections count."""

    on_available: Callable[[], None] = lambda: None
    backlog = last_seq = 0
    idle, rests_on_disk = True, False

    def take(self, *, letters: bool = True, data: bool = True) -> Entry | None:
        return None

    def announce_start(self) -> None: ...

    def outage(self) -> None: ...


class Broker:
    """Answers at once while it is up."""

    def __init__(self) -> None:
        self.up = True
        self.connects: list[float] = []
        self.connections: dict[Connection, None] = {}

    async def open(self, *_: object) -> "Connection":
        await asyncio.sleep(0.001)
        if not self.up:
            raise ConnectFailed("Connection refused")
        self.connects.append(asyncio.get_running_loop().time())
        return Connection(self)

    def kill(self) -> None:
        self.up = False
        for connection in list(self.connections):
            connection.drop(CLOSED)


class Connection:
    """Acknowledges what it gets."""

    version = MqttVersion.V5
    receive_maximum = 20
    maximum_packet_size: int | None = None

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._listener: Listener | None = None
        self._packets = 0
        broker.connections[self] = None

    def listen(self, listener: Listener) -> None:
        self._listener = listener

    def publish(self, _topic: str, _payload: bytes) -> int:
        self._packets += 1
        asyncio.get_running_loop().call_later(0.01, self._acknowledge, self._packets)
        return self._packets

    def flush(self) -> None: ...

    def subscribe(self, _topics: Sequence[str]) -> None: ...

    def traffic(self) -> tuple[int, int]:
        return 0, 0

    def drop(self, lost: Lost) -> None:
        self._broker.connections.pop(self, None)
        if self._listener is not None:
            self._listener.lost(lost)

    def _acknowledge(self, packet: int) -> None:
        if self in self._broker.connections and self._listener is not None:
            self._listener.acknowledged(packet, 0)


def edge(number: int, clock: Clock) -> Publisher:
    ready = asyncio.Event()
    asyncio.get_running_loop().call_later(random.uniform(0, 30), ready.set)  # START_JITTER_SEC
    it = Publisher(
        Nothing(),  # type: ignore[arg-type]
        MqttOptions("broker", 1883),
        lambda: Address(f"edge-{number}", "s", b"offline"),
        board=Board(clock),
        clock=clock,
        ready=ready,
        on_connected=lambda: it.publish_status(b"{}"),
        on_command=lambda *_: None,
    )
    return it


async def storm(broker: Broker, down_s: Callable[[], float]) -> None:
    clock = LoopClock()
    tasks = [asyncio.create_task(edge(number, clock).run()) for number in range(EDGES)]
    await asyncio.sleep(60)
    for _ in range(KILLS):
        broker.kill()
        await asyncio.sleep(down_s())
        broker.up = True
        await asyncio.sleep(60)
        assert len(broker.connections) == EDGES, "all are back within the cap of the back-off"
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def peak(moments: Sequence[float]) -> int:
    return max(bisect_left(moments, moment + 1) - place for place, moment in enumerate(moments))


def run(down_s: Callable[[], float], monkeypatch: pytest.MonkeyPatch) -> int:
    random.seed(12)
    broker = Broker()
    monkeypatch.setattr(publisher, "open_connection", broker.open)
    loop = LeapingLoop()
    try:
        loop.run_until_complete(storm(broker, down_s))
    finally:
        loop.close()
    return peak(broker.connects)


def test_b12_two_hundred_edges_come_back_at_most_twenty_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(lambda: random.uniform(60, 300), monkeypatch) <= PEAK_PER_S
