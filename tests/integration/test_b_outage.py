"""Hours without a broker: the disk takes what comes, the memory stays as it is, the limit is named."""

import json
import os
from pathlib import Path

import psutil

from collector.delivery.mqtt.options import MqttOptions
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.stub_broker import Client, Published, StubBroker
from tests.integration.delivery_rig import DATA, EVENTS, rig
from tests.integration.mqtt_ear import Ear

HOURS_AT_ONE_A_SECOND = int(os.environ.get("B2_HOURS", "6"))
GROWTH = 20 << 20


async def test_b2_hours_without_a_broker_leave_the_memory_as_it_is(tmp_path: Path) -> None:
    """As many messages as six hours bring at one a second; `B2_HOURS` for more."""
    async with rig(tmp_path, MqttOptions("127.0.0.1", free_port())) as r:
        process = psutil.Process()
        sizes = []
        for _ in range(HOURS_AT_ONE_A_SECOND * 4):
            for _ in range(9):
                r.record(100, size=1_000)
                await r.outbox.commit()
            sizes.append(process.memory_info().rss)
        assert r.board.buffer.messages == HOURS_AT_ONE_A_SECOND * 3_600
        assert r.books_balance()
        assert max(sizes) - sizes[len(sizes) // 4] < GROWTH


async def test_b3_beyond_the_limit_the_oldest_goes_and_is_named(tmp_path: Path) -> None:
    with Mosquitto() as broker, Ear(broker.port) as ear:
        options = MqttOptions("127.0.0.1", broker.port)
        async with rig(tmp_path / "o", options, limit_bytes=300_000, ready=False) as r:
            made = 3_000
            for _ in range(made // 100):
                r.record(100, size=600)
                await r.outbox.commit()
            r.ready.set()
            await r.until_delivered()
            await ear.until(lambda: len(ear.payloads(DATA)) == r.board.buffer.acknowledged)
            events = [json.loads(payload) for payload in ear.payloads(EVENTS)]
            gaps = [event for event in events if event["type"] == "gap"]
            named = {seq for gap in gaps for seq in range(gap["from_seq"], gap["to_seq"] + 1)}
            assert set(ear.seqs(DATA)) | named == set(range(1, made + 1))
            assert {gap["reason"] for gap in gaps} == {"limit"}
            assert named == set(range(1, max(named) + 1)), "the oldest, and without a hole"
            assert r.board.buffer.dropped == len(named)
            assert r.books_balance()


async def test_what_waits_is_cleared_on_command_and_named(tmp_path: Path) -> None:
    with Mosquitto() as broker, Ear(broker.port) as ear:
        async with rig(tmp_path / "o", MqttOptions("127.0.0.1", broker.port), ready=False) as r:
            r.record(2_000, size=600)
            dropped = await r.outbox.clear()
            assert (dropped.messages, r.board.buffer.messages, r.board.buffer.dropped) == (2_000, 0, 2_000)
            assert r.books_balance()
            after = r.record(10)
            r.ready.set()
            await ear.until(lambda: ear.seqs(DATA) == after)
            await r.until_delivered()
            gaps = [event for payload in ear.payloads(EVENTS) if (event := json.loads(payload))["type"] == "gap"]
            assert {gap["reason"] for gap in gaps} == {"cleared"}
            named = {seq for gap in gaps for seq in range(gap["from_seq"], gap["to_seq"] + 1)}
            assert sorted(named ^ set(range(1, 2_001))) == []


async def test_what_is_on_its_way_is_not_cleared(tmp_path: Path) -> None:
    def silent(_client: Client, _message: Published) -> None:
        return None

    async with StubBroker(answer=silent) as broker, rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
        r.record(200)
        await broker.until(lambda: len(broker.messages) >= 64)
        dropped = await r.outbox.clear()
        on_the_way = sum(message.topic == DATA for message in broker.messages)
        assert dropped.messages == 200 - on_the_way
        assert r.board.buffer.messages == on_the_way
        assert r.books_balance()
