"""The OPC-UA server of the demo, as a process of its own: its library takes two seconds to load and start."""

import asyncio
import re
import sys
from types import TracebackType
from typing import Self

from collector.cli.demo.leash import leashed

_COMMAND = ("-m", "collector", "simulate", "opcua", "--port", "0")
_ADDRESS = re.compile(r"opc\.tcp://([\d.]+):(\d+)")
_READY_WITHIN_S = 10.0
_EXIT_WITHIN_S = 5.0


class OpcUaProcess:
    """``async with OpcUaProcess() as plc`` listens on ``plc.port`` until the block ends.

    Raises `RuntimeError` when it can not start, with what it said of it.
    """

    def __init__(self) -> None:
        self.host = ""
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._process = process = await asyncio.create_subprocess_exec(
            *leashed(sys.executable, *_COMMAND),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C in the terminal is for the demo, which ends it in its turn
        )
        said = process.stdout or asyncio.StreamReader()
        try:
            await self._listening(said)
        except BaseException:
            await self._end()
            raise
        # It keeps telling how it does; a pipe that nobody empties would halt it.
        self._draining = asyncio.create_task(_drain(said), name="opcua-simulator-output")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    async def _listening(self, said: asyncio.StreamReader) -> None:
        last = "it said nothing"
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                async for line in said:
                    last = line.decode("utf-8", "replace").strip() or last
                    if address := _ADDRESS.search(last):
                        self.host, self.port = address[1], int(address[2])
                        return
        except TimeoutError:
            raise RuntimeError(f"it did not listen within {_READY_WITHIN_S:g} s: {last}") from None
        raise RuntimeError(f"it ended at once: {last}")

    async def _end(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _EXIT_WITHIN_S)
            except TimeoutError:
                process.kill()
                await process.wait()
        if self._draining is not None:
            await self._draining


async def _drain(said: asyncio.StreamReader) -> None:
    while await said.read(65_536):
        pass
