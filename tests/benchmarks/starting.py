"""From the command to the first poll, with the configuration that the last run kept; and what `--help` takes."""

import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.plc import Plcs, plcs
from tests.benchmarks.polling import FLOOR, start
from tests.benchmarks.processes import ROOT, running
from tests.benchmarks.site import Site, installation
from tests.benchmarks.tags import TAGS, VARIANTS, words

_POLL_WITHIN_S = 60.0
_PAUSE_S = 0.02  # less than any process takes to start, so that two never share a poll
_HELP = (sys.executable, "-m", "collector", "--help")
_NOTHING = (sys.executable, "-c", "pass")


def measure(at: Site, starts: int) -> list[Figure]:
    """The collector's start, and the floor's; its help, and what an interpreter takes that does nothing."""
    with installation(at, VARIANTS[0]) as made:
        start(at, made)
        asyncio.run(made.collector.stop())
        ours = []
        for _ in range(starts):
            ours.append(_first_poll_s(made.plcs, made.collector.start))
            asyncio.run(made.collector.stop())
    floor = _bare(at, starts)
    wall, cpu = zip(*(_ms(_HELP) for _ in range(starts)), strict=True)
    bare_wall, bare_cpu = zip(*(_ms(_NOTHING) for _ in range(starts)), strict=True)
    return [
        Figure("start", "command → first poll, configuration kept", "s", tuple(ours), Target("≤", 1), floor),
        Figure("start", "--help", "ms", wall, Target("≤", 150), bare_wall),
        Figure("start", "--help, CPU", "ms", cpu, None, bare_cpu),
    ]


def _bare(at: Site, starts: int) -> tuple[float, ...]:
    took = []
    with plcs(at.folder, words(TAGS)) as polled:
        command = (*FLOOR, "modbus_tcp", str(at.broker_port), "1", "now", str(TAGS), str(polled.ports[0]))
        for _ in range(starts):
            bare = running(command)
            took.append(_first_poll_s(polled, bare.__enter__))
            bare.__exit__(None, None, None)
    return tuple(took)


def _first_poll_s(polled: Plcs, begin: Callable[[], object]) -> float:
    begun_ns = time.time_ns()
    begin()
    while time.time_ns() - begun_ns < _POLL_WITHIN_S * 1e9:
        asked = [poll.asked_ns for poll in polled.polls(_PAUSE_S)[0] if poll.asked_ns > begun_ns]
        if asked:
            return (asked[0] - begun_ns) / 1e9
        time.sleep(0.02)
    raise TimeoutError(f"no poll within {_POLL_WITHIN_S:g} s")


def _ms(command: Sequence[str]) -> tuple[float, float]:
    """Of the clock and of the processor, from a command's start to its end."""
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (time.perf_counter() - begun) * 1e3, spent * 1e3
