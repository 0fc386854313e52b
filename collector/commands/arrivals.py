"""Commands as they came, until the router comes to them: so many, and so many bytes, at most."""

import asyncio
import hashlib
import json
from collections import deque
from dataclasses import dataclass, field

from collector.storage.command_store import Sighting
from fleet_client.commands import Command

MAX_ARRIVED = 10_000
MAX_ARRIVED_BYTES = 16 << 20
MOST_TAKEN = 500


@dataclass(frozen=True, slots=True)
class Arrival:
    """A command, the payload it came in, and when, in wall milliseconds."""

    command: Command
    payload: bytes
    retained: bool
    seen_ms: int
    digest: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", hashlib.sha256(self.payload).digest())

    @property
    def sighting(self) -> Sighting:
        """As it is noted; its id as JSON text, for 1 and "1" are two."""
        key = json.dumps(self.command.command_id, ensure_ascii=False)
        return Sighting(key, self.digest, self.payload, self.seen_ms)


class Arrivals:
    """First in, first out."""

    def __init__(self) -> None:
        self._waiting: deque[Arrival] = deque()
        self._bytes = 0
        self._some = asyncio.Event()

    def put(self, arrival: Arrival) -> bool:
        """Whether there was room for it."""
        if len(self._waiting) >= MAX_ARRIVED or self._bytes + len(arrival.payload) > MAX_ARRIVED_BYTES:
            return False
        self._waiting.append(arrival)
        self._bytes += len(arrival.payload)
        self._some.set()
        return True

    async def take(self) -> list[Arrival]:
        """Those that came first, as soon as there are any: as many as share an fsync and hold up nothing else."""
        await self._some.wait()
        taken = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TAKEN))]
        self._bytes -= sum(len(arrival.payload) for arrival in taken)
        if not self._waiting:
            self._some.clear()
        return taken
