"""A real Mosquitto for tests: on a free port of loopback, to be stopped, killed, paused and started again."""

import asyncio
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

_READY_WITHIN_S = 10.0
_EXIT_WITHIN_S = 5.0


def free_port() -> int:
    """A TCP port of loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Mosquitto:
    """One broker process. The port stays the same over stop and start, for outages.

    Used as ``with Mosquitto() as broker`` or ``async with Mosquitto() as broker``. `lines` are added to its
    configuration and win over the defaults: anonymous clients allowed, no limit on queued messages. With
    `persistent` it keeps sessions and what is queued for them over a stop, and what it saved over a kill.
    Not `verbose`, it notes what `lines` ask for only.
    A websockets listener must be a second one in `lines`: Mosquitto 2.0 does not start with that alone.
    """

    def __init__(
        self,
        *,
        lines: Sequence[str] = (),
        port: int | None = None,
        persistent: bool = False,
        verbose: bool = True,
    ) -> None:
        self.port = port or free_port()
        self.lines = list(lines)
        self._persistent = persistent
        self._verbose = verbose
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def url(self) -> str:
        """``mqtt://127.0.0.1:PORT``."""
        return f"mqtt://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The running process's id."""
        return self._running().pid

    @property
    def log(self) -> str:
        """What the broker has said on its standard error in all its lives."""
        return self._file("mosquitto.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start it and wait until it accepts connections. Changed `lines` count from here on."""
        if self._process is not None:
            raise AssertionError("Mosquitto runs already: stop() or kill() it first")
        self._file("mosquitto.conf").write_text("\n".join(self._config()) + "\n", encoding="utf-8")
        with self._file("mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [mosquitto_program(), *(["-v"] if self._verbose else []), "-c", str(self._file("mosquitto.conf"))],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._wait_until_ready(self._process)

    def stop(self) -> None:
        """SIGTERM: clients see their connections closed."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: the kernel closes the connections, the broker says nothing."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and are still accepted by the kernel, but nothing is answered."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT after `pause`."""
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._clear_away()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear_away()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._clear_away)

    def _config(self) -> list[str]:
        return [
            f"listener {self.port} 127.0.0.1",
            f"user {getpass.getuser()}",
            "allow_anonymous true",
            "max_queued_messages 0",
            *(self._persistence() if self._persistent else ()),
            *self.lines,
        ]

    def _persistence(self) -> tuple[str, ...]:
        return (
            "persistence true",
            f"persistence_location {self._file('').as_posix()}/",
            "autosave_on_changes true",
            "autosave_interval 1",
        )

    def _file(self, name: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="mosquitto-")
        return Path(self._folder.name) / name

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise AssertionError("Mosquitto is not running: start() it first")
        return self._process

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _READY_WITHIN_S
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self._process = None
                pytest.fail(f"Mosquitto ended with status {process.returncode} at start:\n{self.log}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.01)
            else:
                return
        self._end(signal.SIGKILL)
        pytest.fail(f"Mosquitto did not listen on port {self.port} in {_READY_WITHIN_S:g} s:\n{self.log}")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(_EXIT_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _clear_away(self) -> None:
        self._end(signal.SIGTERM)
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None


def mosquitto_program() -> str:
    """Its path. Where there is none the test is skipped, or fails in CI."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if found is None and os.environ.get("CI"):
        pytest.fail("mosquitto is not installed, and CI insists on it: apt-get install mosquitto")
    if found is None:
        pytest.skip("mosquitto is not installed; to run this test too: apt-get install mosquitto")
    return found
