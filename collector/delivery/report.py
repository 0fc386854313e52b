"""What waits in an outbox, as figures and as lines of JSON: of a stopped collector and of a running one alike."""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import orjson

from collector.clock import iso_utc
from collector.storage.inspection import EpochStats, Inspection, add_up
from collector.storage.queue_table import ReadableQueue
from collector.storage.records import Record

_QUEUES: tuple[ReadableQueue, ...] = ("letters", "data")
ResultT = TypeVar("ResultT")


class Look(Protocol):
    """Has something read where the file may be read. Raises `StorageFailed`."""

    def __call__(self, job: Callable[[Inspection], ResultT], /) -> Awaitable[ResultT]: ...


async def figures(look: Look) -> dict[str, object]:
    """The figures of an outbox; the data block by block, so that a large one holds up nobody."""
    epochs: dict[str, EpochStats] = {}
    after: int | None = 0
    while after is not None:
        block, after = await look(lambda inspection, after=after: inspection.epochs(after))  # type: ignore[misc]
        add_up(epochs, block)
    totals = await look(lambda inspection: inspection.totals())
    oldest = min((epoch.oldest_ms for epoch in epochs.values()), default=None)
    newest = max((epoch.newest_ms for epoch in epochs.values()), default=None)
    return {
        "messages": sum(epoch.messages for epoch in epochs.values()),
        "bytes": sum(epoch.bytes for epoch in epochs.values()),
        "oldest": None if oldest is None else iso_utc(oldest),
        "newest": None if newest is None else iso_utc(newest),
        "epochs": [
            {"epoch": each.epoch, "messages": each.messages, "from_seq": each.from_seq, "to_seq": each.to_seq}
            for each in epochs.values()
        ],
        "letters": totals.letters,
        "dead_letters": totals.dead_letters,
        "dead_letter_bytes": totals.dead_letter_bytes,
        "file_bytes": totals.file_bytes,
    }


async def lines(look: Look) -> AsyncIterator[bytes]:
    """Each message that waits, letters first, in the order of delivery, as a line of JSON without its end."""
    for queue in _QUEUES:
        after: int | None = 0
        while after is not None:
            rows, after = await look(
                lambda inspection, queue=queue, after=after: inspection.waiting(queue, after)  # type: ignore[misc]
            )
            for row in rows:
                yield line(row.record)


def line(record: Record) -> bytes:
    """``{"topic", "epoch", "seq", "timestamp", "payload"}``; a payload that is no JSON: ``payload_base64``."""
    fields = {
        "topic": record.topic,
        "epoch": record.epoch,
        "seq": record.seq,
        "timestamp": iso_utc(record.stamp_ms),
    }
    try:
        orjson.loads(record.payload)
    except orjson.JSONDecodeError:
        return orjson.dumps(fields | {"payload_base64": base64.b64encode(record.payload).decode()})
    # As it is: what is exported is what would have been sent, to the byte.
    return orjson.dumps(fields | {"payload": orjson.Fragment(record.payload.replace(b"\n", b" "))})
