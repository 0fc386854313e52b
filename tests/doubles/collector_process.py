"""The real `edge-collector run`, as a process of its own, to be stopped and killed for real."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import pytest

from tests.doubles.canaries import CANARIES, files_with, with_canaries

_EXIT_WITHIN_S = 10.0


class CollectorProcess:
    """One collector in a folder of its own, configured by a `.env` file only. May be started again after its end.

    `command` and `environment` are those of the next start: a test may put a shim or a namespace around it.
    With `canaries`, as in every test, it runs at DEBUG with secrets that must not be found in what it leaves in its
    folder; a benchmark measures what is shipped.
    """

    canaries: ClassVar[bool] = False

    def __init__(self, folder: Path, variables: Mapping[str, object], module: str = "collector") -> None:
        self.folder = folder
        self.log_file = folder / "collector.log"
        self.command: tuple[str, ...] = (sys.executable, "-m", module, "run")
        self.environment: dict[str, str] = {}
        self._secrets: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.configure({"HTTP_PORT": 0, **variables})

    def configure(self, variables: Mapping[str, object]) -> None:
        """Write the `.env` that the next start reads."""
        settings = with_canaries(variables) if self.canaries else variables
        self._secrets = _added(settings, variables)
        lines = [f"{name}={value}" for name, value in settings.items()]
        env_file = self.folder / ".env"
        env_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        env_file.chmod(0o600)

    def start(self, *arguments: str) -> None:
        """Start `edge-collector run` in the folder."""
        assert self._process is None or self._process.poll() is not None, "it runs already"
        quiet = {name: value for name, value in os.environ.items() if not name.startswith(("MQTT_", "EDGE_"))}
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [*self.command, *arguments],
                cwd=self.folder,
                env={**quiet, "PYTHONPATH": str(Path(__file__).parents[2]), **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has said in all its lives."""
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._end(signal.SIGKILL)

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; returns the exit status and how many seconds it took."""
        started = time.monotonic()
        status = await asyncio.to_thread(self._end, signal.SIGTERM)
        return status, time.monotonic() - started

    async def wait(self) -> int:
        """Wait for it to end by itself; returns the exit status."""
        assert self._process is not None
        return await asyncio.to_thread(self._process.wait, _EXIT_WITHIN_S)

    def rss_mib(self) -> float:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def descriptors(self) -> int:
        """Files and sockets that are open now."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208

    def cpu_s(self) -> float:
        """Processor time used so far, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        try:
            return self._process.wait(_EXIT_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            pytest.fail(f"the collector did not end within {_EXIT_WITHIN_S:g} s of {number.name}:\n{self.log[-3000:]}")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        if kind is not None:
            print(f"--- collector log ---\n{self.log[-6000:]}")
        elif self._secrets:
            found = files_with(self.folder, self.folder.rglob(".env"), self._secrets)
            assert found == {}, f"a secret stands in what the collector left in {self.folder}: {found}"


def _added(settings: Mapping[str, object], variables: Mapping[str, object]) -> list[str]:
    """The canaries that a test did not put there itself: its own it also looks for itself."""
    texts, own = ("\n".join(map(str, each.values())) for each in (settings, variables))
    return [secret for secret in CANARIES.values() if secret in texts and secret not in own]
