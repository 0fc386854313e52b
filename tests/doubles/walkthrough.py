"""A reader who types a page's commands one after the other, each long-running one in a terminal of its own."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.doubles.documentation import ROOT, Block
from tests.doubles.mosquitto import free_port

_PORTS = re.compile(r"(?<![\d.])(1883|8080|5020|2004)(?!\d)")
_WITHIN_S = 20.0


class Walkthrough:
    """``with Walkthrough(folder) as reader``; its ports and host names are replaced by free ones of loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports: dict[str, str] = {}
        self._names: dict[str, object] = {"__name__": "documentation"}
        self._running: list[tuple[Block, subprocess.Popen[bytes], Path]] = []
        shutil.copy(ROOT / ".env.example", folder)

    def adapted(self, text: str) -> str:
        """The text as it is typed here."""
        return _PORTS.sub(self._port, text).replace("//pipeline:", "//127.0.0.1:")

    def save(self, block: Block) -> None:
        """Save the block under its ``file``."""
        (self.folder / block.attributes["file"]).write_text(self.adapted(block.text), "utf-8")

    def run(self, block: Block) -> None:
        """Run commands to their end; the exit status is to be ``exit``, else 0."""
        done = subprocess.run(
            ["bash", "-ec", self.adapted(block.text)],
            cwd=self.folder, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=_WITHIN_S, check=False,
        )  # fmt: skip
        expected = int(block.attributes.get("exit", "0"))
        assert done.returncode == expected, f"{block.where}: status {done.returncode}\n{done.stdout}{done.stderr}"

    def start(self, block: Block) -> None:
        """Start one command, and read what it says until it says ``until``."""
        assert block.text.count("\n") == 1, f"{block.where}: one command a terminal"
        log = self.folder / f"terminal-{block.line}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {self.adapted(block.text)}"],
                cwd=self.folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        self._running.append((block, process, log))
        wanted = block.attributes["until"]
        wait_until(
            lambda: wanted in log.read_text("utf-8") or process.poll() is not None,
            lambda: f"{block.where} did not say {wanted!r}:\n{log.read_text('utf-8')}",
        )
        assert wanted in log.read_text("utf-8"), f"{block.where} ended:\n{log.read_text('utf-8')}"

    def get(self, block: Block) -> None:
        """Ask until the JSON object that comes has the key ``get``."""
        method, url = self.adapted(block.text).split()
        assert method == "GET"
        answers: list[object] = []

        def answered() -> bool:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - http, to loopback
                answers.append(json.loads(response.read()))
            return block.attributes["get"] in str(answers[-1])

        wait_until(answered, lambda: f"{block.where}: {answers[-1:]}")

    def execute(self, block: Block) -> None:
        """Execute Python, after the page's earlier blocks."""
        exec(compile(self.adapted(block.text), block.where, "exec"), self._names)  # noqa: S102 - a page of ours

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        statuses = [(block.where, _ended(process), log) for block, process, log in reversed(self._running)]
        if kind is None:
            for where, status, log in statuses:
                assert status == 0, f"{where}: status {status} at the end\n{log.read_text('utf-8')}"

    def _port(self, written: re.Match[str]) -> str:
        return self._ports.setdefault(written[0], str(free_port()))


def wait_until(true: Callable[[], bool], complaint: Callable[[], str], within_s: float = _WITHIN_S) -> None:
    """Look again and again; an `AssertionError` with the complaint when it takes too long."""
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)


def _environment() -> dict[str, str]:
    quiet = {name: value for name, value in os.environ.items() if not name.startswith(("MQTT_", "EDGE_", "DEVICE_"))}
    ours = {"PYTHONUNBUFFERED": "1", "HTTP_PORT": "0"}
    return quiet | ours | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _ended(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()
