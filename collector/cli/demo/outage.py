"""Taking the broker away and bringing it back, whoever asks for it first: the course of the demo, or a visitor."""

import asyncio
from dataclasses import dataclass, field

from collector.cli.demo.brokers import DemoBroker
from collector.cli.demo.gateway import Gateway
from collector.cli.demo.subscriber import Subscriber

_NOTICED_WITHIN_S = 2.0
_CLEARED_WITHIN_S = 5.0


@dataclass(slots=True)
class Outage:
    """Of one broker. What has been done already is not done again."""

    broker: DemoBroker
    subscriber: Subscriber
    gateway: Gateway
    away: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def begin(self) -> None:
        """Stop the broker; what it has acknowledged has reached the subscriber, or is kept for it."""
        async with self._turn:
            if not self.away:
                self.away = True
                await self.broker.stop(self._caught_up)

    async def end(self) -> None:
        """Start it again. Raises `BrokerTrouble`."""
        async with self._turn:
            if self.away:
                await self.broker.start(self.subscriber.standing)
                self.away = False

    async def _caught_up(self) -> bool:
        """The collector is told first: until it has noticed, its count of what was acknowledged may lag behind."""
        gateway = self.gateway
        await gateway.until(lambda: not (gateway.alive and gateway.board.broker.connected), _NOTICED_WITHIN_S)
        return await self.subscriber.until(self._received_all, _CLEARED_WITHIN_S)

    def _received_all(self) -> bool:
        books = self.subscriber.books(self.gateway.board.buffer, self.gateway.lives)
        return books.received >= books.acknowledged
