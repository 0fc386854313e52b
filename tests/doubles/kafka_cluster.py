"""librdkafka's mock cluster: it speaks Kafka's protocol over real sockets, in a process of its own to be paused."""

import asyncio
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from confluent_kafka import Consumer, Producer, TopicPartition

_WITHIN_S = 20.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as the cluster keeps it."""

    key: bytes
    value: bytes
    partition: int


class KafkaCluster:
    """``async with KafkaCluster() as cluster``: one broker at `address`, topics made at first use."""

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self._start)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.resume()
        await asyncio.to_thread(self._end)

    @property
    def port(self) -> int:
        """That of the broker."""
        return int(self.address.rpartition(":")[2])

    def pause(self) -> None:
        """SIGSTOP: connections stay open and are still accepted by the kernel, but nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # its threads go on for a moment

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._process.send_signal(signal.SIGCONT)

    async def stored(self, topic: str) -> list[Stored]:
        """All records of a topic, by partition, each in its order."""
        return await asyncio.to_thread(_read, self.address, topic)

    def _start(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.doubles.kafka_cluster"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().strip()
        assert self.address, "the mock cluster did not start"
        return self

    def _end(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(_WITHIN_S)


def _read(address: str, topic: str) -> list[Stored]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": "test", "enable.auto.commit": False})
    try:
        known = consumer.list_topics(timeout=_WITHIN_S).topics.get(topic)
        if known is None:
            return []
        ends = {
            number: consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=_WITHIN_S)[1]
            for number in known.partitions
        }
        consumer.assign([TopicPartition(topic, number, 0) for number, end in ends.items() if end])
        found: list[Stored] = []
        while len(found) < sum(ends.values()):
            for message in consumer.consume(sum(ends.values()) - len(found), timeout=1.0):
                assert message.error() is None, message.error()
                found.append(Stored(message.key() or b"", message.value() or b"", message.partition() or 0))
        return sorted(found, key=lambda each: each.partition)
    finally:
        consumer.close()


def main() -> None:
    """Be the cluster until standard input ends."""
    producer = Producer({"bootstrap.servers": "none", "test.mock.num.brokers": 1})
    (broker,) = producer.list_topics(timeout=_WITHIN_S).brokers.values()
    sys.stdout.write(f"{broker.host}:{broker.port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
