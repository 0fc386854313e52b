"""A PLC in a process of its own that notes when it was asked: built from C where that is possible."""

import shutil
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from tests.benchmarks.processes import first_line, running

_SOURCE = Path(__file__).with_name("plc.c")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Poll:
    """Requests that came in a row: when the first was there, when the last was answered (wall nanoseconds)."""

    asked_ns: int
    answered_ns: int
    requests: int


@dataclass(frozen=True, slots=True)
class Plc:
    """Listens on a loopback port."""

    port: int
    _log: Path

    def polls(self, pause_s: float) -> list[Poll]:
        """All polls so far; a pause as long as this ends one."""
        times = array("q")
        written = self._log.read_bytes() if self._log.exists() else b""
        times.frombytes(written[: len(written) // 16 * 16])
        polls: list[Poll] = []
        for asked_ns, answered_ns in zip(times[::2], times[1::2], strict=True):
            if polls and asked_ns - polls[-1].answered_ns < pause_s * 1e9:
                polls[-1] = Poll(polls[-1].asked_ns, answered_ns, polls[-1].requests + 1)
            else:
                polls.append(Poll(asked_ns, answered_ns, 1))
        return polls


@contextmanager
def plc(folder: Path, memory: bytes) -> Iterator[Plc]:
    """A PLC with these holding registers, from 40001 on; its files are in `folder`."""
    number = next(_numbers)
    content, log = folder / f"plc-{number}.registers", folder / f"plc-{number}.log"
    content.write_bytes(memory)
    built = build(folder)
    command: list[str | Path] = [built] if built else [sys.executable, "-m", "tests.benchmarks.plc_simulator"]
    with running([*command, content, log]) as process:
        yield Plc(int(first_line(process)), log)


@cache
def build(folder: Path) -> Path | None:
    """The compiled PLC; None where there is no C compiler or no libmodbus."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    target = folder / "plc"
    built = subprocess.run([compiler, "-O2", "-o", target, _SOURCE, "-lmodbus"], capture_output=True, check=False)
    return target if built.returncode == 0 else None


def kind(folder: Path) -> str:
    """Which PLC is used, in words."""
    if build(folder):
        return "libmodbus (tests/benchmarks/plc.c)"
    return "our own simulator in Python: no C compiler or no libmodbus-dev here"
