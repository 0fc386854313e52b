"""Brokers that refuse, that have two of us, that nobody listens to, that forget: B8, B10, B11, B15."""

import asyncio
import json
import struct
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.delivery.encode import ScanEncoder
from collector.delivery.mqtt.options import MqttOptions, MqttVersion
from collector.polling.scan import Scan
from protocols.base import Value
from tests.doubles.driver import ScriptedDriver
from tests.doubles.mosquitto import Mosquitto
from tests.doubles.plans import device_plan
from tests.doubles.stub_broker import Client as Met
from tests.doubles.stub_broker import Published, StubBroker
from tests.integration.delivery_rig import DATA, EVENTS, Rig, rig, seq_of
from tests.integration.mqtt_ear import Ear


def poll(r: Rig, values: dict[str, Value]) -> None:
    """Record what a device's poll cycle gave, as the collector does."""
    encoder = ScanEncoder(
        topic=lambda: DATA, epoch=r.outbox.epoch, next_seq=r.outbox.next_seq,
        meta=True, send_empty=False, max_bytes=r.publisher.largest_body,
    )  # fmt: skip
    stamp_ms = SystemClock().wall_ms()
    scan = Scan(device_plan(ScriptedDriver(), [1]), stamp_ms, tuple(values), list(values.values()), {})
    for seq, message in encoder.messages(scan):
        r.outbox.put(message, seq=seq, stamp_ms=stamp_ms)


def texts(count: int, size: int) -> dict[str, Value]:
    return {f"tag{number}": "x" * size for number in range(count)}


async def test_b8_two_collectors_with_one_id_hold_back_and_say_so(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        here = MqttOptions("127.0.0.1", broker.port)
        async with (
            rig(tmp_path / "one", here, reconnect_max_s=30) as one,
            rig(tmp_path / "two", here, reconnect_max_s=30) as two,
        ):
            await one.until(lambda: any("duplicate_identity" in r.board.conditions for r in (one, two)), timeout_s=20)
            connects = one.connects + two.connects
            await asyncio.sleep(3)
            assert one.connects + two.connects <= connects + 2
            holder = next(r for r in (one, two) if "duplicate_identity" in r.board.conditions)
            assert "gw-test 0123abcd" in holder.board.conditions["duplicate_identity"].detail


async def test_b8_a_broker_that_only_closes_is_held_back_from_too(tmp_path: Path) -> None:
    def close(client: Met, _message: Published) -> int | None:
        client.puback(_message, 0)
        asyncio.get_running_loop().call_later(0.05, client.writer.close)
        return None

    async with (
        StubBroker(levels=(4,), close_unknown=True, answer=close) as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r,
    ):
        await r.until(lambda: "duplicate_identity" in r.board.conditions)
        assert len(broker.clients) == 3


async def test_b10_a_scan_over_the_brokers_limit_comes_in_parts(tmp_path: Path) -> None:
    with Mosquitto(lines=["max_packet_size 5000"]) as broker, Ear(broker.port) as ear:
        async with rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
            await r.until(lambda: r.board.broker.connected)
            poll(r, texts(20, 1_000))
            await r.until_delivered()
            last = r.outbox.last_seq
            await ear.until(lambda: len(ear.seqs(DATA)) == last)
            bodies = [json.loads(payload) for payload in ear.payloads(DATA)]
            assert [body["meta"]["part"] for body in bodies] == [[n, last] for n in range(1, last + 1)]
            assert [name for body in bodies for name in body["tags"]] == list(texts(20, 1))
            assert last == 5
            assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (5, 0)


def gaps(broker: StubBroker) -> list[dict[str, object]]:
    """The gap events that came; beside them a slow machine may tell of a backlog that has drained."""
    events = [json.loads(message.payload) for message in broker.messages if message.topic == EVENTS]
    return [event for event in events if event["type"] == "gap"]


async def test_b10_one_tag_over_the_limit_is_set_aside_alone_and_named(tmp_path: Path) -> None:
    async with (
        StubBroker(properties=b"\x27" + struct.pack("!I", 5_000)) as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r,
    ):
        await r.until(lambda: r.board.broker.connected)
        poll(r, texts(3, 100) | {"huge": "x" * 6_000} | {"after": "y"})
        poll(r, texts(1, 10))
        await broker.until(lambda: bool(gaps(broker)))
        await r.until_delivered()
        bodies = [json.loads(message.payload) for message in broker.messages if message.topic == DATA]
        assert [list(body["tags"]) for body in bodies] == [["tag0", "tag1", "tag2"], ["after"], ["tag0"]]
        assert [body["meta"]["seq"] for body in bodies] == [1, 3, 4]
        (gap,) = gaps(broker)
        assert (gap["from_seq"], gap["to_seq"], gap["reason"]) == (2, 2, "refused")
        assert len(broker.clients) == 1


async def test_b10_what_was_recorded_before_the_limit_was_known_is_set_aside_and_named(tmp_path: Path) -> None:
    with Mosquitto(lines=["max_packet_size 5000"]) as broker, Ear(broker.port) as ear:
        async with rig(tmp_path, MqttOptions("127.0.0.1", broker.port), ready=False) as r:
            poll(r, texts(20, 1_000))
            poll(r, texts(2, 10))
            await r.outbox.commit()
            r.ready.set()
            await ear.until(lambda: any(b"refused" in payload for payload in ear.payloads(EVENTS)))
            await r.until_delivered()
            assert ear.seqs(DATA) == [2]
            assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (1, 1)


async def test_b10_a_limit_that_only_refusals_show_is_learned(tmp_path: Path) -> None:
    """Mosquitto's `message_size_limit` is announced nowhere: the first message pays, the next come in parts."""
    with Mosquitto(lines=["message_size_limit 5000"]) as broker, Ear(broker.port) as ear:
        async with rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
            poll(r, texts(2, 100))
            await r.until_delivered()
            for _ in range(5):
                poll(r, texts(20, 600))
                await r.until_delivered()
            assert 1 <= r.board.buffer.dropped <= 8
            await ear.until(lambda: r.outbox.last_seq in ear.seqs(DATA))
            bodies = [json.loads(payload) for payload in ear.payloads(DATA)]
            bodies = bodies[-bodies[-1]["meta"]["part"][1] :]
            assert {name for body in bodies for name in body["tags"]} == set(texts(20, 1))
            assert r.books_balance()


@pytest.mark.parametrize("version", list(MqttVersion))
async def test_b10_a_status_over_the_brokers_limit_costs_the_data_nothing(tmp_path: Path, version: MqttVersion) -> None:
    """It goes first on each connection, so the broker would close on it before all else, for ever."""
    with Mosquitto(lines=["message_size_limit 1000"]) as broker, Ear(broker.port) as ear:
        options = MqttOptions("127.0.0.1", broker.port, versions=(version,))
        async with rig(tmp_path, options, reconnect_max_s=0.05, status=b"x" * 2_000) as r:
            r.record(20)
            await r.until_delivered()
            await ear.until(lambda: set(ear.seqs(DATA)) == set(range(1, 21)))
            assert r.board.buffer.dropped == 0
            assert "topic_suspended" not in r.board.conditions


async def test_b10_a_message_the_broker_always_closes_on_is_found_and_the_next_passes(tmp_path: Path) -> None:
    """MQTT 3.1.1: the close is all there is."""

    def close(client: Met, message: Published) -> int | None:
        if len(message.payload) > 3_000:
            client.writer.transport.abort()
            return None
        return 0

    async with (
        StubBroker(levels=(4,), close_unknown=True, answer=close) as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port), reconnect_max_s=0.05) as r,
    ):
        r.record(3)
        r.record(1, size=4_000)
        r.record(3)
        await r.until(lambda: r.board.buffer.dropped == 1)
        await r.until_delivered()
        assert r.board.buffer.acknowledged == 6
        assert "duplicate_identity" not in r.board.conditions
        assert 1_900 < r.publisher.largest_body(DATA) <= 2_000


async def test_b10_a_poison_message_of_ordinary_size_is_found_by_letting_the_next_one_pass(tmp_path: Path) -> None:
    def close(client: Met, message: Published) -> int | None:
        if message.topic == DATA and seq_of(message.payload) == 4:
            client.writer.transport.abort()
            return None
        return 0

    async with (
        StubBroker(levels=(4,), close_unknown=True, answer=close) as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port), reconnect_max_s=0.05) as r,
    ):
        r.record(8)
        await r.until(lambda: r.board.buffer.dropped == 1)
        await r.until_delivered()
        assert r.board.buffer.acknowledged == 7


async def test_a_broker_that_closes_on_all_data_costs_no_message(tmp_path: Path) -> None:
    def close(client: Met, message: Published) -> int | None:
        if message.topic == DATA and refusing:
            client.writer.transport.abort()
            return None
        return 0

    refusing = False
    async with (
        StubBroker(levels=(4,), close_unknown=True, answer=close) as broker,
        rig(tmp_path, MqttOptions("127.0.0.1", broker.port), reconnect_max_s=0.02) as r,
    ):
        r.record(3)
        await r.until_delivered()
        refusing = True
        r.record(5)
        await r.until(lambda: len(broker.clients) >= 20)
        refusing = False
        await r.until_delivered()
        assert (r.board.buffer.acknowledged, r.board.buffer.dropped) == (8, 0)


async def test_b11_without_a_subscriber_it_counts_as_taken_and_is_counted(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        async with rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
            r.record(20)
            await r.until_delivered()
            assert (r.board.buffer.acknowledged, r.board.broker.unheard) == (20, 20)
            with Ear(broker.port):
                r.record(5)
                await r.until_delivered()
            assert r.board.broker.unheard == 20


async def test_b15_what_a_broker_forgets_after_its_puback_shows_as_a_hole_in_the_numbers(tmp_path: Path) -> None:
    """Nothing for an edge to do: the subscriber sees which numbers never came."""
    with Mosquitto() as broker:
        async with rig(tmp_path, MqttOptions("127.0.0.1", broker.port)) as r:
            with Ear(broker.port, "server") as ear:
                r.record(10)
                await ear.until(lambda: ear.seqs(DATA) == list(range(1, 11)))
            r.record(10)
            await r.until_delivered()
            await asyncio.to_thread(broker.kill)
            await asyncio.to_thread(broker.start)
            with Ear(broker.port, "server") as ear:
                r.record(10)
                await ear.until(lambda: 30 in ear.seqs(DATA))
                assert ear.seqs(DATA) == list(range(21, 31))
            await r.until(lambda: r.board.buffer.acknowledged == 30)
