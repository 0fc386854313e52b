"""Somebody at the broker who notes all that comes, in the order it comes: the only witness the judge hears."""

import time
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

import orjson

from simulators.ledger import Account, Ledger
from simulators.mqtt import MqttListener
from tests.doubles.canaries import found_in
from tests.judge.records import Arrival, Gap, Id, Restart
from tests.judge.transcript import gap_of, restart_of

_STATUS = "vexplor/devices/+/status"


class Subscriber:
    """``async with Subscriber(url, edge_id) as subscriber``; the broker keeps its session while it is away.

    `conditions` are those of the newest heartbeat, `told_secrets` the canaries that anything it heard had in it.
    """

    def __init__(self, url: str, edge_id: str) -> None:
        self._edge_id = edge_id
        self.arrivals: list[Arrival] = []
        self.gaps: list[Gap] = []
        self.restarts: list[Restart] = []
        self.events: list[dict[str, object]] = []
        self.conditions: frozenset[str] = frozenset()
        self.told_secrets: set[str] = set()
        self._ledger = Ledger()
        self._listener = MqttListener(
            url, self._hear, topics=(*Ledger.topics, _STATUS), client_id="judge", persistent=True
        )

    @property
    def newest(self) -> int:
        """The newest sample that came; 0 before the first."""
        return max((arrival.sample for arrival in self.arrivals[-500:]), default=0)

    @property
    def newest_start(self) -> Account:
        """What came of the collector's newest start. Raises `KeyError` before the first message."""
        return self._ledger.account(self._edge_id)

    async def ready(self) -> None:
        """Wait until it is subscribed. Raises `TimeoutError`."""
        await self._listener.ready()

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Not connected until the block ends: the broker is to keep what comes."""
        await self._listener.__aexit__(None, None, None)
        yield
        await self.__aenter__()

    async def __aenter__(self) -> Self:
        await self._listener.__aenter__()
        await self.ready()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.__aexit__(kind, error, trace)

    def _hear(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        at = time.monotonic()
        self._ledger.feed(topic, payload, received_at_ms)
        self.told_secrets.update(found_in(payload))
        body = orjson.loads(payload)
        if topic.endswith("/status"):
            self.conditions = frozenset(condition["code"] for condition in body.get("conditions", ()))
            return
        if topic.endswith("/events"):
            self._learn(body)
            return
        meta, digest = body["meta"], zlib.crc32(payload)
        sample = int(body["tags"]["sample"])
        self.arrivals.append(Arrival(Id.of(meta["epoch"], meta["seq"]), sample, digest, at))

    def _learn(self, event: dict[str, object]) -> None:
        self.events.append(event)
        if event["type"] == "gap":
            if (gap := gap_of(event)) is not None and gap not in self.gaps:
                self.gaps.append(gap)
        elif event["type"] == "restart":
            self.restarts.append(restart_of(event))
