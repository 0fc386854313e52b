"""A conversation with a simulated PLC in memory, in the time of `LeapingLoop`: nothing is listened on."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from simulators.plc import Plc

PLENTY_S = 5.0


class _Way(asyncio.Transport):
    """One direction: hands on what is written."""

    def __init__(self, hand_on: Callable[[bytes], None], hang_up: Callable[[], None]) -> None:
        super().__init__()
        self._hand_on = hand_on
        self._hang_up = hang_up
        self._closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closed:
            self._hand_on(bytes(data))

    def is_closing(self) -> bool:
        return self._closed

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._hang_up()

    def abort(self) -> None:
        self.close()


class Visit:
    """A client that sees every byte. Whatever breaks inside the PLC is raised by `end`."""

    def __init__(self, plc: Plc[Any, Any]) -> None:
        self._came = bytearray()
        self._reader = asyncio.StreamReader()
        self._serving = _serve(plc, self._reader, _Way(self._came.extend, lambda: None))

    @property
    def closed(self) -> bool:
        """Whether the PLC has hung up."""
        return self._serving.done()

    async def say(self, data: bytes) -> bytes:
        """What comes back until nothing more comes."""
        self._came.clear()
        if not self.closed:
            self._reader.feed_data(data)
            await asyncio.sleep(PLENTY_S)
        return bytes(self._came)

    async def end(self) -> None:
        """Hang up, and wait until the PLC has noticed."""
        if not self.closed:
            self._reader.feed_eof()
        await asyncio.wait_for(self._serving, PLENTY_S)


class Cable:
    """A driver's session plugged into a PLC: what one writes, the other has in the next turn of the loop."""

    def __init__(self, plc: Plc[Any, Any], client: asyncio.Protocol) -> None:
        self._loop = asyncio.get_running_loop()
        self._client = client
        self._reader = asyncio.StreamReader()
        self._answers = _Way(self._arrive, self._part)
        self._serving = _serve(plc, self._reader, self._answers)
        client.connection_made(_Way(self._reader.feed_data, self._answers.close))

    def _arrive(self, data: bytes) -> None:
        self._loop.call_soon(self._client.data_received, data)

    def _part(self) -> None:
        """Whichever end hangs up, both learn of it."""
        self._reader.feed_eof()
        self._loop.call_soon(self._client.connection_lost, None)


def _serve(plc: Plc[Any, Any], reader: asyncio.StreamReader, way: _Way) -> asyncio.Task[None]:
    loop = asyncio.get_running_loop()
    writer = asyncio.StreamWriter(way, asyncio.StreamReaderProtocol(asyncio.StreamReader()), None, loop)

    async def serve() -> None:
        with contextlib.closing(writer), contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await plc.serve(reader, writer)

    return loop.create_task(serve())
