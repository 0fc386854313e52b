"""Brokers that close on what the given server does not know of, and brokers that refuse."""

import json
from pathlib import Path

import pytest

from collector.delivery.message import Message
from collector.delivery.mqtt.options import MqttOptions
from tests.doubles.stub_broker import PUBLISH, SUBSCRIBE, Client, Published, StubBroker
from tests.integration.delivery_rig import COMMANDS, DATA, EVENTS, STATUS, Rig, rig, seq_of

RESPONSES = "vexplor/devices/edge/responses"


def options(broker: StubBroker) -> MqttOptions:
    return MqttOptions("127.0.0.1", broker.port)


def data(messages: list[Published]) -> list[int]:
    return [seq_of(message.payload) for message in messages if message.topic == DATA]


def event(r: Rig, number: int) -> None:
    r.outbox.put_letter(Message(EVENTS, json.dumps({"type": "device", "number": number}).encode()))


def close_on_events(client: Client, message: Published) -> int | None:
    if message.topic == EVENTS:
        client.writer.close()
        return None
    return 0


@pytest.mark.parametrize("level", [4, 5])
async def test_a_broker_that_closes_on_the_subscription_is_not_asked_a_third_time(tmp_path: Path, level: int) -> None:
    async with (
        StubBroker(suback=None, levels=(level,), close_unknown=True) as broker,
        rig(tmp_path, options(broker)) as r,
    ):
        r.record(5)
        event(r, 1)
        await r.until(lambda: "topic_suspended" in r.board.conditions)
        await r.until(lambda: r.connects == 3)
        await r.until_delivered()
        assert "commands" in r.board.conditions["topic_suspended"].detail
        assert [len(client.subscriptions) for client in broker.clients] == [1, 1, 0]
        assert set(data(broker.messages)) == {1, 2, 3, 4, 5}
        assert any(message.topic == EVENTS for message in broker.messages), "events are another matter"
        assert "duplicate_identity" not in r.board.conditions


async def test_a_broker_that_closes_on_events_gets_none_and_the_status_tells_them(tmp_path: Path) -> None:
    async with (
        StubBroker(levels=(4,), answer=close_on_events, close_unknown=True) as broker,
        rig(tmp_path, options(broker)) as r,
    ):
        for number in range(5):
            event(r, number)
        r.outbox.put_letter(Message(RESPONSES, b"{}"))
        r.record(20)
        await r.until(lambda: "topic_suspended" in r.board.conditions)
        await r.until_delivered()
        event(r, 5)
        r.record(1)
        await r.until_delivered()
        assert len(broker.clients) == 3
        assert sum(message.topic == EVENTS for message in broker.messages) <= 10
        assert [e["number"] for e in r.board.folded_events if e["type"] == "device"][-2:] == [4, 5]
        assert len(r.board.folded_events) == 3
        assert any(message.topic == RESPONSES for message in broker.messages)
        assert set(data(broker.messages)) == set(range(1, 22))
        assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (21, 0)


@pytest.mark.parametrize("code", [0x87, 0x97])
async def test_b9_refused_events_block_neither_data_nor_responses(tmp_path: Path, code: int) -> None:
    def answer(_client: Client, message: Published) -> int:
        return code if message.topic == EVENTS else 0

    async with StubBroker(answer=answer) as broker, rig(tmp_path, options(broker)) as r:
        event(r, 1)
        event(r, 2)
        r.outbox.put_letter(Message(RESPONSES, b"{}"))
        r.record(3)
        await r.until(lambda: "topic_suspended" in r.board.conditions)
        await r.until_delivered()
        assert sum(message.topic == RESPONSES for message in broker.messages) >= 1
        assert {e["number"] for e in r.board.folded_events if e["type"] == "device"} == {1, 2}
        assert "broker_refuses" not in r.board.conditions
        assert len(broker.clients) == 1


@pytest.mark.parametrize("level", [4, 5])
async def test_the_edge_says_online_when_its_commands_can_come_in(tmp_path: Path, level: int) -> None:
    async with (
        StubBroker(withhold_suback=True, levels=(level,), close_unknown=True) as broker,
        rig(tmp_path, options(broker)) as r,
    ):
        r.record(3)
        event(r, 1)
        await broker.until(lambda: any(client.subscriptions for client in broker.clients))
        (client,) = broker.clients
        assert client.heard == [SUBSCRIBE]
        client.deliver(COMMANDS, b"early")
        await r.until(lambda: bool(r.commands))
        assert client.heard == [SUBSCRIBE]
        client.suback(1)
        await r.until_delivered()
        assert client.heard == [SUBSCRIBE, *[PUBLISH] * 5]
        assert client.published[0].topic == STATUS, "the server knows the edge before it gets its data"


@pytest.mark.parametrize(("level", "code"), [(4, 0x80), (5, 0x87), (5, 0x97)])
async def test_a_refused_subscription_costs_neither_status_nor_data(tmp_path: Path, level: int, code: int) -> None:
    async with (
        StubBroker(suback=code, levels=(level,), close_unknown=True) as broker,
        rig(tmp_path, options(broker)) as r,
    ):
        r.record(3)
        await r.until_delivered()
        (client,) = broker.clients
        assert client.heard == [SUBSCRIBE, *[PUBLISH] * 4]
        assert client.published[0].topic == STATUS
        assert "commands_refused" in r.board.conditions


async def test_a_broker_that_never_answers_the_subscription_gets_the_status_all_the_same(tmp_path: Path) -> None:
    async with StubBroker(withhold_suback=True) as broker, rig(tmp_path, options(broker)) as r:
        r.record(3)
        await r.until_delivered()
        (client,) = broker.clients
        assert client.heard[:2] == [SUBSCRIBE, PUBLISH]
        assert client.published[0].topic == STATUS
        assert data(client.published) == [1, 2, 3]


async def test_the_farewell_does_not_wait_for_the_subscription(tmp_path: Path) -> None:
    async with StubBroker(withhold_suback=True) as broker, rig(tmp_path, options(broker)) as r:
        await broker.until(lambda: any(client.subscriptions for client in broker.clients))
        await r.publisher.drain(4.0, lambda: b'{"status":"offline"}')
        (client,) = broker.clients
        assert client.published[-1].payload == b'{"status":"offline"}'
        await broker.until(lambda: client.said_goodbye)
