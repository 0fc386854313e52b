"""The Kafka sink against librdkafka's mock cluster, which speaks the protocol over sockets."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from collector.delivery.message import Entry
from collector.delivery.sinks import kafka
from collector.delivery.sinks.destination import Away
from collector.delivery.sinks.kafka import Kafka
from tests.doubles.kafka_cluster import KafkaCluster
from tests.doubles.mosquitto import free_port


@pytest.fixture
async def cluster() -> AsyncIterator[KafkaCluster]:
    async with KafkaCluster() as cluster:
        yield cluster


@asynccontextmanager
async def opened(*addresses: str) -> AsyncIterator[Kafka]:
    """A sink that is closed whatever happens."""
    sink = Kafka(addresses, "test")
    try:
        await sink.open()
        yield sink
    finally:
        await sink.close()


def batch(kind: str, numbers: Sequence[int], edge_id: str = "edge-1", size: int = 0) -> list[Entry]:
    """Messages of a kind."""
    filler = b"x" * size
    return [
        Entry(f"vexplor/devices/{edge_id}/{kind}", b'{"n":%d,"f":"%s"}' % (number, filler), 0, 0.0, seq=number)
        for number in numbers
    ]


async def test_each_kind_has_a_topic_and_each_edge_its_order(cluster: KafkaCluster) -> None:
    settled: list[tuple[int | None, str | None]] = []
    data, events = batch("data", range(500)), batch("events", range(3), "edge-2")
    async with opened(cluster.address) as sink:
        await sink.deliver([*events, *data], lambda entry, why: settled.append((entry.seq, why)))
    assert settled == [(n, None) for n in [*range(3), *range(500)]]
    stored = await cluster.stored("vexplor.devices.data")
    assert [each.value for each in stored] == [entry.payload for entry in data]
    assert {each.key for each in stored} == {b"edge-1"}
    assert len({each.partition for each in stored}) == 1
    assert [each.key for each in await cluster.stored("vexplor.devices.events")] == [b"edge-2"] * 3


async def test_one_broker_of_several_is_enough(cluster: KafkaCluster) -> None:
    async with opened(f"127.0.0.1:{free_port()}", cluster.address) as sink:
        await sink.deliver(batch("data", [1]), lambda entry, why: None)
    assert len(await cluster.stored("vexplor.devices.data")) == 1


async def test_no_broker_is_said_in_words() -> None:
    with pytest.raises(Away, match="no Kafka broker answers"):
        async with opened(f"127.0.0.1:{free_port()}"):
            pass


async def test_k4_a_message_over_the_limit_costs_itself(cluster: KafkaCluster) -> None:
    settled: dict[int | None, str | None] = {}
    entries = [*batch("data", [0]), *batch("data", [1], size=2_000_000), *batch("data", [2])]
    async with opened(cluster.address) as sink:
        await sink.deliver(entries, lambda entry, why: settled.update({entry.seq: why}))
    assert "2000" in str(settled.pop(1))
    assert settled == {0: None, 2: None}


async def test_k7_a_cluster_that_falls_silent_is_given_up_and_found_again(
    cluster: KafkaCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled: list[int | None] = []
    async with opened(cluster.address) as sink:
        await sink.deliver(batch("data", [1]), lambda entry, why: settled.append(entry.seq))
        cluster.pause()
        monkeypatch.setattr(kafka, "_DELIVER_S", 0.5)
        with pytest.raises(Away, match="does not answer in time"):
            await sink.deliver(batch("data", [2]), lambda entry, why: settled.append(entry.seq))
        await sink.close()
        async with asyncio.timeout(20):
            while asyncio.all_tasks() != {asyncio.current_task()}:
                await asyncio.sleep(0.01)
    cluster.resume()
    monkeypatch.undo()
    async with opened(cluster.address) as sink:
        await sink.deliver(batch("data", [2, 3]), lambda entry, why: settled.append(entry.seq))
    assert settled == [1, 2, 3]
