"""The broker of the demo: a real Mosquitto where there is one, else one within this process.

An outage must not cost the subscriber anything that the broker has acknowledged. Mosquitto keeps its sessions on
disk. The embedded one keeps nothing, so the collector reaches it through a door that is shut first and opened last.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Protocol

from collector.cli.demo.leash import leashed
from simulators.address import listen
from simulators.broker import EmbeddedBroker
from simulators.door import Door

HOST = "127.0.0.1"
_SBIN = "/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin"
_READY_WITHIN_S = 5.0
_LOOK_AGAIN_S = 0.02
_EXIT_WITHIN_S = 5.0

Wait = Callable[[], Awaitable[object]]


class BrokerTrouble(Exception):
    """The broker could not be started; the message says why."""


class DemoBroker(Protocol):
    """A broker that can be away for a while.

    `url` is for everybody, `inner_url` for those who may miss nothing; both are known once it was started.
    """

    words: str
    version: str  # as `MQTT_VERSION` wants it
    keeps_sessions: bool

    @property
    def url(self) -> str: ...

    @property
    def inner_url(self) -> str: ...

    async def start(self, standing: Wait | None = None) -> None:
        """Run, on the same port as before. `standing` waits for the subscriptions. Raises `BrokerTrouble`."""
        ...

    async def stop(self, caught_up: Wait | None = None) -> None:
        """End it. `caught_up` waits until the subscribers have all that was acknowledged."""
        ...


class Mosquitto:
    """The real one, as a process of its own that listens on loopback only."""

    version = "auto"
    keeps_sessions = True

    def __init__(self, executable: str, folder: Path) -> None:
        self.words = f"Mosquitto ({executable})"
        self._executable = executable
        self._folder = folder
        with listen(HOST, 0) as free:
            self._port = int(free.getsockname()[1])
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self._port}"

    inner_url = url

    async def start(self, standing: Wait | None = None) -> None:
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(self._config()) + "\n", encoding="utf-8")
        with (self._folder / "mosquitto.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *leashed(self._executable, "-c", str(config)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for the demo, which ends it in its turn
            )
        try:
            await self._listening(self._process)
        except BaseException:
            await self.stop()
            raise

    async def stop(self, caught_up: Wait | None = None) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _EXIT_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _config(self) -> list[str]:
        return [
            f"listener {self._port} {HOST}",
            *(["user root"] if os.geteuid() == 0 else []),  # else it becomes a user who may not write here
            "allow_anonymous true",
            "max_queued_messages 0",
            "set_tcp_nodelay true",
            "persistence true",
            f"persistence_location {self._folder.as_posix()}/",
            "log_dest stderr",
        ]

    async def _listening(self, process: asyncio.subprocess.Process) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_READY_WITHIN_S):
                while process.returncode is None:
                    with suppress(OSError):
                        _, writer = await asyncio.open_connection(HOST, self._port)
                        writer.close()
                        return
                    # Not every version says when it is ready; to knock is the only way to know.
                    await asyncio.sleep(_LOOK_AGAIN_S)
        log = (self._folder / "mosquitto.log").read_text(encoding="utf-8", errors="replace").strip()
        last = log.splitlines()[-1] if log else "it said nothing"
        raise BrokerTrouble(f"{self._executable} did not listen on port {self._port}: {last}")


class EmbeddedBehindDoor:
    """The embedded broker. Subscribers who may miss nothing go straight in, all others through the door."""

    words = "the embedded broker (no mosquitto on this machine)"
    version = "3.1.1"
    keeps_sessions = False

    def __init__(self) -> None:
        self._broker = EmbeddedBroker(host=HOST)
        self._door = Door(self._forward, host=HOST, port=0)

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self._door.port}"

    @property
    def inner_url(self) -> str:
        return self._broker.url

    async def start(self, standing: Wait | None = None) -> None:
        try:
            await self._broker.start()
        except (OSError, RuntimeError) as error:
            raise BrokerTrouble(str(error)) from error
        if standing is not None:
            await standing()
        self._door.open()

    async def stop(self, caught_up: Wait | None = None) -> None:
        await self._door.close()
        if caught_up is not None:
            await caught_up()
        await self._broker.stop()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(HOST, self._broker.port)
        ways = [
            asyncio.create_task(_pass_on(reader, inner_writer)),
            asyncio.create_task(_pass_on(inner_reader, writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            inner_writer.close()


@asynccontextmanager
async def running_broker(folder: Path, say: Callable[[str], None], *, embedded: bool) -> AsyncIterator[DemoBroker]:
    """The best broker there is on this machine, until the context ends. Raises `BrokerTrouble`."""
    broker = await _started(folder, say, embedded=embedded)
    try:
        yield broker
    finally:
        await broker.stop()


async def _started(folder: Path, say: Callable[[str], None], *, embedded: bool) -> DemoBroker:
    executable = None if embedded else shutil.which("mosquitto") or shutil.which("mosquitto", path=_SBIN)
    if executable is not None:
        mosquitto = Mosquitto(executable, folder)
        try:
            await mosquitto.start()
        except (OSError, BrokerTrouble) as trouble:
            say(f"{trouble}; the embedded broker is used instead")
        else:
            return mosquitto
    broker = EmbeddedBehindDoor()
    if executable is not None or embedded:
        broker.words = "the embedded broker"
    await broker.start()
    return broker


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
