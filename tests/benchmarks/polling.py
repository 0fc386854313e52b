"""A collector in its steady state and, where it is wanted, the floor beside it, which polls between its polls."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from tests.benchmarks.course import LAST_MESSAGES_S, Course, course
from tests.benchmarks.plc import Plcs, plcs_of
from tests.benchmarks.processes import cpu_s, peak_rss_mb, running
from tests.benchmarks.site import Installation, Site, installation, sleep_until_fraction
from tests.benchmarks.tags import Variant
from tests.benchmarks.told import told_course

FLOOR = (sys.executable, "-m", "tests.benchmarks.floor")
_FLOOR_EDGE = "floor"
_FLOOR_LATER, _WINDOW_LATER = 0.55, 0.23  # of the time from one poll to the next of any device
_BEFORE_TURN_S = 0.1
_HEARD_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True)
class Windows:
    """How many are measured, how long each, after how long a warm-up."""

    count: int
    seconds: float
    warm_up_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """So many equal devices, and the collector's settings that are not as shipped."""

    device: Variant
    devices: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)

    @property
    def apart_s(self) -> float:
        """From one poll to the next of any device: they are spread over the interval."""
        return self.device.interval_s / self.devices

    @property
    def span_s(self) -> float:
        """What happens recurs at the same place in each span of the wall clock."""
        return max(1.0, self.device.interval_s)


@dataclass(frozen=True, slots=True)
class Watched:
    """What the collector did, and the floor if there was one; `start_s` from the command to the last first poll, 0 if
    nothing is polled."""

    ours: Course
    bare: Course | None
    rss_mb: float
    bare_rss_mb: float | None
    start_s: float


@dataclass(frozen=True, slots=True)
class _Side:
    """A process that polls, what it polls, and under which id it publishes."""

    pid: int
    plcs: Plcs
    edge_id: str


def watch(at: Site, load: Load, windows: Windows, *, with_floor: bool) -> Watched:
    """Start it, let it warm up, and watch it for so many windows."""
    with ExitStack() as stack:
        made = stack.enter_context(installation(at, load.device, load.devices, load.settings))
        begun_ns = time.time_ns()
        first_s = start(at, made, load.devices)
        sides = [_Side(made.collector.pid, made.plcs, made.edge_id)]
        if with_floor:
            at.subscriber.forget(_FLOOR_EDGE)
            sides.append(stack.enter_context(_floor(at, load, first_s + _FLOOR_LATER * load.apart_s)))
            at.subscriber.until(_FLOOR_EDGE, load.devices, _HEARD_WITHIN_S)
        courses = _watch(at, load, sides, windows, first_s)
        rss = [peak_rss_mb(side.pid) for side in sides]
        polled_ns = [polls[0].asked_ns for polls in made.plcs.polls(load.device.interval_s / 2) if polls]
        for edge_id in (made.edge_id, _FLOOR_EDGE):
            at.subscriber.forget(edge_id)
    bare = (courses[1], rss[1]) if with_floor else (None, None)
    return Watched(courses[0], bare[0], rss[0], bare[1], (max(polled_ns, default=begun_ns) - begun_ns) / 1e9)


def start(at: Site, made: Installation, devices: int = 1) -> float:
    """Start the collector and wait for as many messages; returns when the first of them came, by the wall clock."""
    made.collector.start()
    try:
        at.subscriber.until(made.edge_id, devices, _HEARD_WITHIN_S)
    except TimeoutError as error:
        raise RuntimeError(f"{error}; the collector said:\n{made.collector.log[-3000:]}") from None
    return at.subscriber.of(made.edge_id)[0].at_ns / 1e9


@contextmanager
def _floor(at: Site, load: Load, first_s: float) -> Iterator[_Side]:
    with plcs_of(at.folder, load.device, load.devices) as polled:
        device = load.device
        words = [device.simulator, at.broker_port, device.interval_s, f"{first_s:.4f}", device.registers, *polled.ports]
        with running([*FLOOR, *map(str, words)]) as process:
            yield _Side(process.pid, polled, _FLOOR_EDGE)


def _watch(at: Site, load: Load, sides: Sequence[_Side], windows: Windows, first_s: float) -> list[Course]:
    """Windows begin and end between polls, or before a turn of what is told, so each holds the same number of them."""
    border_s = -_BEFORE_TURN_S if load.device.told else first_s + _WINDOW_LATER * load.apart_s
    time.sleep(windows.warm_up_s)
    sleep_until_fraction(border_s, load.span_s)
    moments, spent = [time.time_ns()], [[cpu_s(side.pid)] for side in sides]
    for _ in range(windows.count):
        time.sleep(windows.seconds - 0.5)
        sleep_until_fraction(border_s, load.span_s)
        moments.append(time.time_ns())
        for side, so_far in zip(sides, spent, strict=True):
            so_far.append(cpu_s(side.pid))
    time.sleep(LAST_MESSAGES_S + 2 * load.device.told * load.device.interval_s)
    return [_course(at, load.device, side, moments, cpu) for side, cpu in zip(sides, spent, strict=True)]


def _course(at: Site, device: Variant, side: _Side, moments: Sequence[int], cpu: Sequence[float]) -> Course:
    received = at.subscriber.of(side.edge_id)
    if device.told:
        return told_course(received, device, moments=moments, cpu_s=cpu)
    return course(side.plcs, received, tags=len(device.tags), interval_s=device.interval_s, moments=moments, cpu_s=cpu)
