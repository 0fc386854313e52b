"""From the command to the first poll, with the configuration that the last run kept."""

import asyncio
import sys
import time
from collections.abc import Callable

from tests.benchmarks.figures import Figure
from tests.benchmarks.plc import Plc, plc
from tests.benchmarks.polling import FLOOR, start
from tests.benchmarks.processes import running
from tests.benchmarks.site import Site, installation
from tests.benchmarks.tags import TAGS, VARIANTS, words

_POLL_WITHIN_S = 20.0
_PAUSE_S = 0.02  # less than any process takes to start, so that two never share a poll


def measure(at: Site, starts: int) -> list[Figure]:
    """The collector's start, and the floor's."""
    with installation(at, VARIANTS[0]) as made:
        start(at, made)
        asyncio.run(made.collector.stop())
        ours = []
        for _ in range(starts):
            ours.append(_first_poll_s(made.plc, made.collector.start))
            asyncio.run(made.collector.stop())
    return [Figure("start", "command → first poll, configuration kept", "s", tuple(ours), None, _bare(at, starts))]


def _bare(at: Site, starts: int) -> tuple[float, ...]:
    took = []
    with plc(at.folder, words(TAGS)) as polled:
        command = (sys.executable, FLOOR, str(polled.port), str(at.broker_port), "1", "now")
        for _ in range(starts):
            bare = running(command)
            took.append(_first_poll_s(polled, bare.__enter__))
            bare.__exit__(None, None, None)
    return tuple(took)


def _first_poll_s(polled: Plc, begin: Callable[[], object]) -> float:
    begun_ns = time.time_ns()
    begin()
    while time.time_ns() - begun_ns < _POLL_WITHIN_S * 1e9:
        asked = [poll.asked_ns for poll in polled.polls(_PAUSE_S) if poll.asked_ns > begun_ns]
        if asked:
            return (asked[0] - begun_ns) / 1e9
        time.sleep(0.02)
    raise TimeoutError(f"no poll within {_POLL_WITHIN_S:g} s")
