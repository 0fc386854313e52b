"""PLCs in a process of their own that note when they were asked: built from C where that is possible."""

import shutil
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

from tests.benchmarks.processes import first_line, running
from tests.benchmarks.tags import Variant

_SOURCE = Path(__file__).with_name("plc.c")
_RECORD = 24
_A_PROCESS = 400
_LEAST_POLL = {"s7": 31, "opcua": 500}
"""Bytes of the shortest question for words: what is shorter negotiates, or asks for a sign of life."""
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Poll:
    """Requests that came in a row: when the first was there, when the last was answered (wall nanoseconds)."""

    asked_ns: int
    answered_ns: int
    requests: int


@dataclass(frozen=True, slots=True)
class Plcs:
    """As many as there are ports, all of them on loopback. Without logs they tell, and are not polled."""

    ports: tuple[int, ...]
    _logs: tuple[Path, ...]

    def polls(self, pause_s: float) -> list[list[Poll]]:
        """All polls so far, PLC by PLC; a pause as long as this ends one."""
        found: list[list[Poll]] = [[] for _ in self.ports]
        for place, log in enumerate(self._logs):
            for number, asked_ns, answered_ns in _requests(log):
                polls = found[place * _A_PROCESS + number]
                if polls and asked_ns - polls[-1].answered_ns < pause_s * 1e9:
                    polls[-1] = Poll(polls[-1].asked_ns, answered_ns, polls[-1].requests + 1)
                else:
                    polls.append(Poll(asked_ns, answered_ns, 1))
        return found


@contextmanager
def plcs(folder: Path, memory: bytes, many: int = 1) -> Iterator[Plcs]:
    """So many PLCs, each with these holding registers, from 40001 on; their files are in `folder`."""
    built = build(folder)
    command: list[str | Path] = [built] if built else [sys.executable, "-m", "tests.benchmarks.plc_simulator"]
    ports: list[int] = []
    logs: list[Path] = []
    with ExitStack() as stack:
        for first in range(0, many, _A_PROCESS):
            number = next(_numbers)
            content, log = folder / f"plcs-{number}.registers", folder / f"plcs-{number}.log"
            content.write_bytes(memory)
            words = [*command, content, log, str(min(_A_PROCESS, many - first))]
            ports += [int(port) for port in first_line(stack.enter_context(running(words))).split()]
            logs.append(log)
        yield Plcs(tuple(ports), tuple(logs))


@contextmanager
def plcs_of(folder: Path, variant: Variant, many: int) -> Iterator[Plcs]:
    """So many that have what the variant's tags ask for."""
    if variant.memory:
        with plcs(folder, variant.memory, many) as polled:
            yield polled
        return
    with _told_ports("devices", variant.simulator, str(many), str(len(variant.tags))) as inner:
        if variant.told:
            yield Plcs(inner, ())
            return
        log = folder / f"plcs-{next(_numbers)}.log"
        least = str(_LEAST_POLL.get(variant.protocol, 1))
        with _told_ports("witness", log, least, *map(str, inner)) as ports:
            yield Plcs(ports, (log,))


@contextmanager
def _told_ports(module: str, *words: str | Path) -> Iterator[tuple[int, ...]]:
    with running([sys.executable, "-m", f"tests.benchmarks.{module}", *words]) as process:
        yield tuple(map(int, first_line(process).split()))


@cache
def build(folder: Path) -> Path | None:
    """The compiled PLC; None where there is no C compiler or no libmodbus."""
    compiler = shutil.which("cc")
    if compiler is None:
        return None
    target = folder / "plc"
    built = subprocess.run([compiler, "-O2", "-o", target, _SOURCE, "-lmodbus"], capture_output=True, check=False)
    return target if built.returncode == 0 else None


def _requests(log: Path) -> Iterator[tuple[int, int, int]]:
    """Which PLC was asked, when, and when it had answered."""
    numbers = array("q")
    written = log.read_bytes() if log.exists() else b""
    numbers.frombytes(written[: len(written) // _RECORD * _RECORD])
    return zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)


def kind(folder: Path) -> str:
    """Which PLC is used, in words."""
    if build(folder):
        return "libmodbus (tests/benchmarks/plc.c)"
    return "our own simulator in Python: no C compiler or no libmodbus-dev here"
