"""The simulators' MQTT side before real brokers: Mosquitto, and the embedded one."""

import asyncio
import socket
import sys
from collections.abc import Callable

import orjson
import pytest

from simulators.address import BrokerAddress
from simulators.broker import EmbeddedBroker
from simulators.edge import MadeUpEdge
from simulators.ledger import Ledger
from simulators.mqtt import MqttListener, Will
from tests.doubles.mosquitto import Mosquitto, free_port


class Heard:
    """What a listener was told; `until` waits for the message that makes a condition true."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    def __call__(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        self.messages.append((topic, payload))
        self._news.set()

    async def until(self, enough: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not enough():
                self._news.clear()
                await self._news.wait()


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_a_listener_hears_its_topics_and_no_others(version: str) -> None:
    heard = Heard()
    async with (
        Mosquitto() as broker,
        MqttListener(broker.url, heard, topics=("a/+/data",), version=version) as listener,
        MqttListener(broker.url, Heard()) as speaker,
    ):
        assert listener.connected
        assert speaker.publish("b/1/data", b"no")
        assert speaker.publish("a/1/data", "예".encode())
        await heard.until(lambda: len(heard.messages) >= 1)
    assert heard.messages == [("a/1/data", "예".encode())]


async def test_websockets() -> None:
    heard = Heard()
    port = free_port()
    async with (
        Mosquitto(lines=[f"listener {port} 127.0.0.1", "protocol websockets"]),
        MqttListener(f"ws://127.0.0.1:{port}", heard, topics=("t",)) as listener,
    ):
        await listener.ready()
        for number in range(20):
            assert listener.publish("t", f"{number}".encode())
        await heard.until(lambda: len(heard.messages) >= 20)
    assert [int(payload) for _, payload in heard.messages] == list(range(20))


async def test_a_listener_comes_back_after_an_outage() -> None:
    heard = Heard()
    async with Mosquitto() as broker, MqttListener(broker.url, heard, topics=("t",)) as listener:
        for end in (broker.stop, broker.kill):
            await asyncio.to_thread(end)
            await _until(lambda: not listener.connected)
            assert listener.error
            assert not listener.publish("t", b"lost")
            await asyncio.to_thread(broker.start)
            await listener.ready()
            heard.messages.clear()
            assert listener.publish("t", b"back")
            await heard.until(lambda: ("t", b"back") in heard.messages)


async def test_a_persistent_listener_misses_nothing_over_a_restart_of_the_broker() -> None:
    heard = Heard()
    async with Mosquitto(persistent=True) as broker:
        async with MqttListener(broker.url, heard, topics=("t",), client_id="keeper", persistent=True):
            pass
        mirror = Heard()
        async with MqttListener(broker.url, mirror, topics=("t",)) as speaker:
            assert speaker.publish("t", b"while away")
            await mirror.until(lambda: bool(mirror.messages))
        await asyncio.to_thread(broker.stop)
        await asyncio.to_thread(broker.start)
        async with MqttListener(broker.url, heard, topics=("t",), client_id="keeper", persistent=True):
            await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [("t", b"while away")]


async def test_a_listener_without_a_broker_enters_and_says_why() -> None:
    async with MqttListener("mqtt://127.0.0.1:1", Heard(), topics=("t",)) as listener:
        assert not listener.connected
        with pytest.raises(TimeoutError, match=r"no subscription at 127.0.0.1:1 in 0.01 s: .*refused"):
            await listener.ready(0.01)


async def test_a_broker_that_hangs_is_given_up_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.mqtt._ANSWER_TIMEOUT_S", 0.05)
    monkeypatch.setattr("simulators.mqtt._HOUSEKEEPING_S", 0.05)
    async with Mosquitto() as broker:
        broker.pause()
        async with MqttListener(broker.url, Heard(), topics=("t",)) as listener:
            assert not listener.connected
            assert "did not answer in 0.05 s" in (listener.error or "")
            broker.resume()
            await listener.ready()
            assert listener.error is None


async def test_a_refused_login_is_named() -> None:
    async with (
        Mosquitto(lines=["allow_anonymous false"]) as broker,
        MqttListener(broker.url, Heard(), topics=("t",)) as listener,
    ):
        assert not listener.connected
        assert "Not authorized" in (listener.error or "")


async def test_the_will_is_said_when_a_listener_vanishes() -> None:
    heard = Heard()
    async with Mosquitto() as broker, MqttListener(broker.url, heard, topics=("will",)):
        doomed = MqttListener(broker.url, Heard(), will=Will("will", b"gone"))
        async with doomed:
            cut_off(doomed)
            await heard.until(lambda: bool(heard.messages))
    assert heard.messages == [("will", b"gone")]


def cut_off(listener: MqttListener) -> None:
    """Break the connection below MQTT, as a pulled cable and a reset do."""
    assert listener._client is not None
    connection = listener._client.socket()
    assert isinstance(connection, socket.socket)
    connection.shutdown(socket.SHUT_RDWR)


def test_broker_urls() -> None:
    address = BrokerAddress.parse("mqtts://us%40er:p%3Aw@plant.example:1234")
    assert (address.host, address.port, address.username, address.password) == (
        "plant.example",
        1234,
        "us@er",
        "p:w",
    )
    assert address.encrypted
    assert BrokerAddress.parse("tcp://h").port == 1883
    assert BrokerAddress.parse("ws://h/path") == BrokerAddress("ws", "h", 80, "/path", None, None)
    with pytest.raises(ValueError, match="http://h' is not understood; expected mqtt, tcp"):
        BrokerAddress.parse("http://h")
    with pytest.raises(ValueError, match="version '4'"):
        MqttListener("mqtt://h", Heard(), version="4")
    with pytest.raises(ValueError, match="needs a client_id"):
        MqttListener("mqtt://h", Heard(), persistent=True)


async def test_the_embedded_broker_carries_messages_and_survives_an_outage_on_its_port() -> None:
    heard = Heard()
    async with EmbeddedBroker() as broker:
        port = broker.port
        async with MqttListener(broker.url, heard, topics=("a/+",)) as listener:
            assert listener.publish("a/1", b"one")
            await heard.until(lambda: bool(heard.messages))
            await broker.stop()
            assert not broker.running
            await _until(lambda: not listener.connected)
            await broker.start()
            assert broker.port == port
            await listener.ready()
            assert listener.publish("a/2", b"two")
            await heard.until(lambda: ("a/2", b"two") in heard.messages)


async def test_the_embedded_broker_names_a_taken_port_and_a_missing_package(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with EmbeddedBroker() as broker:
        with pytest.raises(OSError, match=f"can not listen on 127.0.0.1:{broker.port}"):
            await EmbeddedBroker(port=broker.port).start()
    monkeypatch.setitem(sys.modules, "amqtt.broker", None)
    with pytest.raises(RuntimeError, match=r"pip install edge-collector\[demo\]"):
        await EmbeddedBroker().start()


async def test_a_made_up_edge_says_hello_sends_values_answers_and_says_goodbye() -> None:
    heard, ledger = Heard(), Ledger()

    def listen(topic: str, payload: bytes, received_at_ms: int) -> None:
        ledger.feed(topic, payload, received_at_ms)
        heard(topic, payload, received_at_ms)

    def under(kind: str) -> list[dict[str, object]]:
        prefix = "vexplor/devices/edge-test-001/"
        return [orjson.loads(payload) for topic, payload in heard.messages if topic == prefix + kind]

    async with (
        Mosquitto() as broker,
        MqttListener(broker.url, listen, topics=("vexplor/devices/+/#",)) as listener,
    ):
        async with MadeUpEdge("edge-test-001", broker.url, interval_s=0.01) as edge:
            await heard.until(lambda: len(under("data")) >= 5 and len(under("status")) >= 1)
            for command in ("ping", "restart"):
                letter = orjson.dumps({"command_id": f"c-{command}", "command": command})
                listener.publish("vexplor/devices/edge-test-001/commands", letter)
            listener.publish("vexplor/devices/edge-test-001/commands", b"not JSON")
            await heard.until(lambda: len(under("responses")) >= 2)
        await heard.until(lambda: under("status")[-1]["status"] == "offline")
        assert edge.commands == 2
    hello = under("status")[0]
    assert {"cpu_percent", "memory_percent", "disk_percent", "ip_address"} <= set(hello)
    assert hello["status"] == "online"
    assert under("status")[-1]["reason"] == "shutdown"
    assert [(answer["command_id"], answer["status"]) for answer in under("responses")] == [
        ("c-ping", "success"),
        ("c-restart", "rejected"),
    ]
    account = ledger.account("edge-test-001")
    assert account.holes(first=1) == []
    assert len(account.seqs) == edge.data_messages == len(under("data"))
    assert (ledger.not_understood, ledger.duplicates) == (0, 0)


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)
