"""What the answers of a cluster mean, from a producer that gives them on request."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from aiokafka.errors import InvalidMessageError, NotLeaderForPartitionError, TopicAuthorizationFailedError

from collector.delivery.message import Entry
from collector.delivery.sinks import kafka
from collector.delivery.sinks.destination import Away, LettersUnwanted
from collector.delivery.sinks.kafka import Kafka

Judge = Callable[[str, bytes, int], Exception | None]


class Cluster:
    """Makes the producers: `judge` is asked for the answer to a topic, a value and the producer's number."""

    def __init__(self) -> None:
        self.judge: Judge = lambda topic, value, number: None
        self.producers = 0

    def producer(self, **options: object) -> SimpleNamespace:
        self.producers += 1
        number = self.producers

        async def send(topic: str, *, value: bytes, key: bytes) -> asyncio.Future[object]:
            answer = asyncio.get_running_loop().create_future()
            if (refusal := self.judge(topic, value, number)) is not None:
                answer.set_exception(refusal)
            else:
                answer.set_result(None)
            return answer

        async def nothing() -> None:
            pass

        accumulator = SimpleNamespace(fail_all=lambda reason: None)
        sender = SimpleNamespace(sender_task=None)
        return SimpleNamespace(
            send=send, start=nothing, stop=nothing, _sender=sender, _message_accumulator=accumulator
        )  # fmt: skip


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    cluster = Cluster()
    monkeypatch.setattr(kafka, "AIOKafkaProducer", cluster.producer)
    return cluster


def entries(kind: str, *values: str) -> list[Entry]:
    """Messages of a kind."""
    return [Entry(f"vexplor/devices/e/{kind}", each.encode(), 0, 0.0, seq=n if kind == "data" else None)
            for n, each in enumerate(values)]  # fmt: skip


async def delivered(batch: list[Entry]) -> tuple[list[bytes], dict[bytes, str], str]:
    """What was taken, what was refused and why, and what was raised."""
    taken: list[bytes] = []
    refused: dict[bytes, str] = {}
    raised = ""

    def settle(entry: Entry, why: str | None) -> None:
        if why is None:
            taken.append(entry.payload)
        else:
            refused[entry.payload] = why

    sink = Kafka(["k"], "test")
    await sink.open()
    try:
        await sink.deliver(batch, settle)
    except (Away, LettersUnwanted) as trouble:
        raised = type(trouble).__name__
    await sink.close()
    return taken, refused, raised


async def test_k4_a_record_is_refused_only_by_itself(cluster: Cluster) -> None:
    spoilt = {b"b", b"c"}  # a whole batch of records is refused for the sake of one of them
    cluster.judge = lambda topic, value, number: (
        InvalidMessageError() if (number == 1 and value in spoilt) or value == b"c" else None
    )
    taken, refused, raised = await delivered(entries("data", "a", "b", "c", "d"))
    assert (taken, set(refused), raised) == ([b"a", b"d", b"b"], {b"c"}, "")
    assert cluster.producers == 4  # one for each that was doubtful, and a fresh one after a refusal


async def test_k5_a_trouble_of_the_cluster_costs_no_message(cluster: Cluster) -> None:
    cluster.judge = lambda topic, value, number: NotLeaderForPartitionError() if value == b"b" else None
    assert await delivered(entries("data", "a", "b", "c")) == ([b"a", b"c"], {}, "Away")


async def test_k6_a_topic_for_events_that_we_may_not_write_holds_up_no_data(cluster: Cluster) -> None:
    cluster.judge = lambda topic, value, number: (
        TopicAuthorizationFailedError(topic) if topic.endswith("events") else None
    )
    assert await delivered([*entries("events", "e"), *entries("data", "a")]) == ([b"a"], {}, "LettersUnwanted")
    assert await delivered(entries("events", "e")) == ([], {}, "Away")


async def test_k5_a_topic_for_data_that_we_may_not_write_costs_no_data(cluster: Cluster) -> None:
    cluster.judge = lambda topic, value, number: (
        TopicAuthorizationFailedError(topic) if topic.endswith("data") else None
    )
    assert await delivered([*entries("events", "e"), *entries("data", "a")]) == ([b"e"], {}, "Away")


async def test_k5_a_cluster_that_refuses_everything_costs_no_message_and_is_not_asked_for_ever(
    cluster: Cluster,
) -> None:
    cluster.judge = lambda topic, value, number: InvalidMessageError()
    taken, refused, raised = await delivered(entries("data", *map(str, range(200))))
    assert (taken, refused, raised) == ([], {}, "Away")
    assert cluster.producers < 20
