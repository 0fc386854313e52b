"""Brokers that close on what the given server does not know of, and brokers that refuse."""

import json
from pathlib import Path

import pytest

from collector.delivery.message import Message
from collector.delivery.mqtt.options import MqttOptions
from tests.doubles.stub_broker import Client, Published, StubBroker
from tests.integration.delivery_rig import DATA, EVENTS, Rig, rig, seq_of

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
        assert [e["number"] for e in r.board.folded_events] == [3, 4, 5]
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
        assert {e["number"] for e in r.board.folded_events} == {1, 2}
        assert "broker_refuses" not in r.board.conditions
        assert len(broker.clients) == 1
