"""Stands before devices, in a process of its own, and notes when they were asked and when they had answered.

Usage: python -m tests.benchmarks.witness LOG LEAST PORT... Its first line has the ports to come by instead of these,
the LOG is of the form of that of `plc.c`. A question of fewer bytes than LEAST is no poll, and not noted.
"""

import asyncio
import contextlib
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from simulators.door import Door

_HOST = "127.0.0.1"
_CHUNK = 65_536
_WRITTEN_EVERY_S = 0.05


@dataclass(slots=True)
class _Question:
    """The one that is on its way to a device; when it was answered, both times are noted (wall nanoseconds)."""

    device: int
    least: int
    noted: "array[int]"
    size: int = 0
    at_ns: int = 0

    def asked(self, size: int) -> None:
        """A part of it has come."""
        self.at_ns = self.at_ns if self.size else time.time_ns()
        self.size += size

    def answered(self, _size: int) -> None:
        """A part of the answer has; the first one counts."""
        if self.size >= self.least:
            self.noted.extend((self.device, self.at_ns, time.time_ns()))
        self.size = 0


async def _stand(log: Path, least: int, ports: Sequence[int]) -> None:
    noted = array("q")
    async with contextlib.AsyncExitStack() as stack:
        doors = [
            Door(partial(_let_through, port, partial(_Question, device, least, noted)), host=_HOST, port=0)
            for device, port in enumerate(ports)
        ]
        for door in doors:
            await stack.enter_async_context(door)
        print(*(door.port for door in doors), flush=True)
        with log.open("ab") as opened:
            while True:
                await asyncio.sleep(_WRITTEN_EVERY_S)
                opened.write(noted.tobytes())
                opened.flush()
                del noted[:]


async def _let_through(
    port: int, question: Callable[[], _Question], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    inner_reader, inner_writer = await asyncio.open_connection(_HOST, port)
    seen = question()
    await asyncio.gather(
        _carry(reader, inner_writer, seen.asked),
        _carry(inner_reader, writer, seen.answered),
    )


async def _carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seen: Callable[[int], None]) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            seen(len(data))
            sink.write(data)
            await sink.drain()
    sink.close()


if __name__ == "__main__":
    asyncio.run(_stand(Path(sys.argv[1]), int(sys.argv[2]), [int(port) for port in sys.argv[3:]]))
