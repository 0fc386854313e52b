"""A simulated PLC as far as its protocol does not matter: it listens, dies, is counted and has faults."""

import asyncio
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from simulators.door import Door
from simulators.faults import PlcFaults
from simulators.line import FrameError, Line
from simulators.record import PlcRecord
from simulators.serial_door import SerialDoor

FaultsT = TypeVar("FaultsT", bound=PlcFaults)
RecordT = TypeVar("RecordT", bound=PlcRecord)


class Plc(ABC, Generic[FaultsT, RecordT]):
    """``async with`` it listens on `port` until the block ends, and converses with each client by itself.

    `faults` spoils it, `record` tells what it saw. `clock` gives monotonic seconds. `most_connections` are granted
    unless a fault says otherwise, None for any number. `resets` closes connections as many Ethernet modules do.
    """

    def __init__(
        self,
        faults: FaultsT,
        record: RecordT,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        door: SerialDoor | None = None,
        most_connections: int | None = None,
        resets: bool = False,
        clock: Callable[[], float] = time.monotonic,
        seed: int = 1,
    ) -> None:
        self.faults = faults
        self.record = record
        self.host = host
        self._most_connections = most_connections
        self._clock = clock
        self._started = clock()
        self._noise = random.Random(seed)
        self._open = 0
        self._running = False
        self._door = door or Door(self.serve, host=host, port=port, resets=resets)
        self.faults.on_change = self._live_or_die

    @abstractmethod
    async def converse(self, reader: asyncio.StreamReader, line: Line) -> None:
        """Answer one client's questions for as long as they come. `FrameError` ends it, and is counted."""

    @property
    def port(self) -> int:
        """The TCP port where it listens, the same over ``faults.dead``; 0 on a serial line."""
        return self._door.port if isinstance(self._door, Door) else 0

    @property
    def open_connections(self) -> int:
        """How many clients are connected now."""
        return self._open

    @property
    def age_s(self) -> float:
        """How long it has been there: what drives its signals."""
        return self._clock() - self._started

    def drop_connections(self) -> None:
        """Break every open connection; new ones are welcome."""
        self._door.drop()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Converse with one client. Raises `IncompleteReadError` or `ConnectionError` when it is gone."""
        limit = self._most_connections if self.faults.connection_limit is None else self.faults.connection_limit
        if limit is not None and self._open >= limit:
            self.record.turned_away += 1
            return
        self.record.connections += 1
        self._open += 1
        try:
            await self.converse(reader, Line(writer, self.faults, self._noise))
        except FrameError:
            self.record.malformed += 1
        finally:
            self._open -= 1

    async def __aenter__(self) -> Self:
        self._running = True
        self._live_or_die()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running = False
        await self._door.close()

    def _live_or_die(self) -> None:
        if self.faults.dead and self._door.is_open:
            self._door.shut()
            self._door.drop()
        elif self._running and not self.faults.dead:
            self._door.open()
