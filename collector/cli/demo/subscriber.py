"""Somebody who listens in on everything and keeps the books."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from collector.cli.demo.hall import EDGE_ID
from collector.cli.demo.lives import Lives
from collector.status.board import BufferState
from simulators.ledger import Account, Ledger
from simulators.mqtt import MqttListener


@dataclass(frozen=True, slots=True)
class Books:
    """Data messages: the collector's own counts, and against them what a subscriber received.

    `received` counts each once, `from_disk` those of them that had been written to disk before they were sent.
    `given_up` is what the collector says it had to drop, `named` how many of those its gap events name. `conflicts`
    are repetitions that said something else than the first time, `late` messages that came after a younger one.
    `missing` are numbers that were overtaken: messages come in order, so these will not come any more; `unnamed`
    are those that no event names, as closed ranges.
    """

    made: int
    acknowledged: int
    waiting: int
    received: int
    duplicates: int
    from_disk: int
    missing: int
    given_up: int = 0
    named: int = 0
    conflicts: int = 0
    late: int = 0
    unnamed: tuple[tuple[int, int], ...] = ()

    @property
    def lost(self) -> int:
        """What a subscriber did not get of all that was made; final once nothing is on its way any more."""
        return self.made - self.received


class Subscriber:
    """``async with Subscriber(url) as subscriber`` is subscribed before the block begins. Raises `TimeoutError`."""

    def __init__(self, url: str, *, persistent: bool) -> None:
        self.ledger = Ledger()
        self._heard = asyncio.Event()
        self._listener = MqttListener(
            url, self._hear, topics=Ledger.topics, client_id="demo-subscriber", persistent=persistent
        )

    def books(self, counts: BufferState, lives: Lives) -> Books:
        """As of now, over all lives of the collector; `counts` are those of the present one."""
        accounts = {epoch: account for (edge, epoch), account in self.ledger.accounts.items() if edge == EDGE_ID}
        total, each = lives.total(counts, accounts), accounts.values()
        return Books(
            made=total.recorded,
            acknowledged=total.acknowledged,
            waiting=total.messages,
            received=sum(len(account.seqs) for account in each),
            duplicates=sum(account.duplicates for account in each),
            from_disk=sum(account.buffered for account in each),
            missing=sum(end - start + 1 for account in each for start, end in account.holes(first=1)),
            given_up=total.dropped,
            named=sum(_named(account) for account in each),
            conflicts=sum(account.conflicts for account in each),
            late=sum(account.late for account in each),
            unnamed=tuple(hole for account in each for hole in account.unexplained(first=1)),
        )

    async def standing(self) -> None:
        """Wait until it is subscribed. Raises `TimeoutError`."""
        await self._listener.ready()

    async def until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait for something that a message may make true; whether it came true in time."""
        try:
            async with asyncio.timeout(within_s):
                while not condition():
                    self._heard.clear()
                    await self._heard.wait()
        except TimeoutError:
            return condition()
        return True

    async def __aenter__(self) -> Self:
        await self._listener.__aenter__()
        try:
            await self.standing()
        except BaseException:
            await self._listener.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._listener.__aexit__(kind, error, trace)

    def _hear(self, topic: str, payload: bytes, received_at_ms: int) -> None:
        self.ledger.feed(topic, payload, received_at_ms)
        self._heard.set()


def _named(account: Account) -> int:
    """How many messages the events name; of some the collector knows only how many they were, not which."""
    return sum(gap.last - gap.first + 1 for gap in account.gaps) + sum(loss.count for loss in account.losses)
