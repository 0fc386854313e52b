"""Kafka: a topic per kind, the edge id as key, idempotent, acknowledged by all replicas in sync."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    CorruptRecordException,
    InvalidMessageError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    RequestTimedOutError,
)

from collector.delivery.message import Entry
from collector.delivery.sinks.destination import Away, LettersUnwanted, Settle, by_topic, edge_and_kind

TOPIC_PREFIX = "vexplor.devices"
REQUEST_MS = 15_000
_DELIVER_S = 30.0
_CLOSE_S = 2.0
_SUSPECTS = 8
_NEVER = CorruptRecordException, InvalidMessageError, MessageSizeTooLargeError, RecordListTooLargeError
"""What the record itself is to blame for."""

# It tells each failed attempt on standard error; ours are told once, with what to do.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def topic_of(kind: str) -> str:
    """`vexplor.devices.data`, `vexplor.devices.events`."""
    return f"{TOPIC_PREFIX}.{kind}"


class Kafka:
    """A `Destination`. The producer numbers what it sends, so that its own repetitions are stored once.

    The number is lost with the producer: after an outage a message may be there twice, under the same identity.
    """

    def __init__(self, brokers: Sequence[str], client_id: str) -> None:
        self._brokers = list(brokers)
        self._client_id = client_id
        self._producer: AIOKafkaProducer | None = None

    async def open(self) -> None:
        """Find the cluster. Raises `Away`."""
        producer = self._producer = AIOKafkaProducer(
            bootstrap_servers=self._brokers,
            client_id=self._client_id,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=REQUEST_MS,
        )
        try:
            async with asyncio.timeout(_DELIVER_S):
                await producer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Away(_reason(error)) from None

    async def deliver(self, batch: Sequence[Entry], settle: Settle) -> None:
        """Topic by topic, all at once, and then their acknowledgements. Raises `Away`, `LettersUnwanted`.

        A record is refused for good only if it is refused by itself, and another of its topic passes.
        """
        passed: set[str] = set()
        doubtful: list[Entry] = []
        troubles: dict[bool, str] = {}  # by whether it is the data's

        def settle_and_note(entry: Entry, refused: str | None) -> None:
            if refused is None:
                passed.add(entry.topic)
            settle(entry, refused)

        for topic, entries in by_topic(batch).items():
            try:
                doubtful += await self._deliver(topic, entries, settle_and_note)
            except (KafkaError, OSError, TimeoutError) as error:
                troubles.setdefault(entries[0].is_data, _reason(error))
        suspects: list[tuple[Entry, str]] = []
        for entry in doubtful:
            if (why := await self._deliver_alone(entry, settle_and_note)) is not None:
                suspects.append((entry, why))
            if len(suspects) >= _SUSPECTS and entry.topic not in passed:
                break
        for entry, why in suspects:
            if entry.topic in passed:
                settle(entry, why)
            else:
                troubles.setdefault(entry.is_data, why)
        if troubles:
            reason = next(iter(troubles.values()))
            raise Away(reason) if True in troubles or not batch[-1].is_data else LettersUnwanted(reason)

    async def topics(self) -> set[str]:
        """Those that the cluster shows us. Raises `Away`."""
        assert self._producer is not None  # noqa: S101 - to be opened first
        try:
            async with asyncio.timeout(_DELIVER_S):
                return set((await self._producer.client.fetch_all_metadata()).topics())
        except (KafkaError, OSError, TimeoutError) as error:
            raise Away(_reason(error)) from None

    async def close(self) -> None:
        """Without waiting for what was not acknowledged."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                # `stop` alone waits for the answers that the cluster owes, however long, and no public way is quicker.
                # Once cancelled, the sender awaits its requests, and each further time ends one of them.
                sending = producer._sender.sender_task
                while sending is not None and not sending.done():
                    sending.cancel()
                    await asyncio.wait([sending], timeout=0.01)
                producer._message_accumulator.fail_all(KafkaConnectionError())
                await producer.stop()

    async def _deliver(self, topic: str, entries: Sequence[Entry], settle: Settle) -> list[Entry]:
        """Returns those that were refused, perhaps for the sake of others in the same record batch."""
        async with asyncio.timeout(_DELIVER_S):
            sent, trouble = await self._send(topic, entries, settle)
            doubtful = []
            for entry, answer in sent:
                try:
                    await answer
                except _NEVER:
                    doubtful.append(entry)
                except (KafkaError, OSError) as error:
                    trouble = trouble or error
                else:
                    settle(entry, None)
        if trouble is not None:
            raise trouble
        return doubtful

    async def _send(
        self, topic: str, entries: Iterable[Entry], settle: Settle
    ) -> tuple[list[tuple[Entry, asyncio.Future[object]]], Exception | None]:
        """What is on its way, with its answer to come, and what kept the rest."""
        assert self._producer is not None  # noqa: S101 - the courier opens first
        edge_id, kind = edge_and_kind(topic)
        sent: list[tuple[Entry, asyncio.Future[object]]] = []
        for entry in entries:
            try:
                answer = await self._producer.send(topic_of(kind), value=entry.payload, key=edge_id.encode())
            except MessageSizeTooLargeError as error:
                settle(entry, str(error))
                continue
            except (KafkaError, OSError) as error:
                return sent, error
            answer.add_done_callback(_hear)
            sent.append((entry, answer))
        return sent, None

    async def _deliver_alone(self, entry: Entry, settle: Settle) -> str | None:
        """By a producer of its own: after a refusal the numbers of the last one no longer fit. Returns why not."""
        await self.close()
        await self.open()
        try:
            async with asyncio.timeout(_DELIVER_S):
                sent, trouble = await self._send(entry.topic, [entry], settle)
                for _, answer in sent:
                    await answer
        except _NEVER as error:
            await self.close()
            await self.open()
            return _reason(error)
        except (KafkaError, OSError, TimeoutError) as error:
            raise Away(_reason(error)) from None
        if trouble is not None:
            raise Away(_reason(trouble))
        if sent:
            settle(entry, None)
        return None


def _hear(answer: asyncio.Future[object]) -> None:
    """So that an answer nobody waited for is not taken for an oversight."""
    if not answer.cancelled():
        answer.exception()


def _reason(error: Exception) -> str:
    if isinstance(error, KafkaConnectionError):
        return "no Kafka broker answers"
    if isinstance(error, TimeoutError | KafkaTimeoutError | RequestTimedOutError):
        return "Kafka does not answer in time"
    return (str(error) or type(error).__name__)[:200]
