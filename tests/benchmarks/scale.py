"""Many small devices in one collector: whether each keeps its beat, and whether a dead one costs the others theirs."""

import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise

import orjson

from tests.benchmarks.figures import Figure, Target, quantile
from tests.benchmarks.processes import cpu_s, first_line, rss_mb, running
from tests.benchmarks.site import Site, collector
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import tag
from tests.doubles.black_hole import black_hole

_DEVICES, _TAGS, _INTERVAL_S = 500, 30, 1.0
_FEW = 50
_START_WITHIN_S = 40.0
_WARM_UP_S = 5.0
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the devices did that live: seconds from message to message by each one's own stamps."""

    periods_s: tuple[float, ...]
    devices: int
    cpu_percent: float
    rss_mb: float

    @property
    def missed(self) -> int:
        """Cycles that left no message between two others of their device."""
        return sum(round(period / _INTERVAL_S) - 1 for period in self.periods_s)

    @property
    def off_beat_percent(self) -> list[float]:
        """How far each period is from the interval."""
        return [100 * abs(period / _INTERVAL_S - 1) for period in self.periods_s]


def measure(at: Site) -> list[Figure]:
    """500 devices at once; then 49 of them alone and, in another collector at the same time, 49 beside a dead one.

    At the same time, for a busy machine would make one of them look worse than the other.
    """
    with _ports(_DEVICES) as ports:
        (many,) = _watch(at, ports)
    with _ports(_FEW - 1) as alone, _ports(_FEW - 1) as others, black_hole() as dead:
        alive, beside = _watch(at, alone, [*others, dead], silent=dead)
    before, after = (quantile(crowd.periods_s, 0.99) for crowd in (alive, beside))
    change = 100 * abs(after / before - 1)

    def figure(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return Figure(f"scale: {_TAGS} tags a device, every second", name, unit, (value,), target)

    return [
        figure(f"{_DEVICES} devices: heard of", "", many.devices, Target("=", _DEVICES)),
        figure(f"{_DEVICES} devices: missed cycles", "", many.missed, Target("=", 0)),
        figure(f"{_DEVICES} devices: period off, p99", "%", quantile(many.off_beat_percent, 0.99), Target("≤", 5)),
        figure(f"{_DEVICES} devices: memory (RSS)", "MB", many.rss_mb, Target("<", 200)),
        figure(f"{_DEVICES} devices: CPU of one core", "%", many.cpu_percent),
        figure(f"1 dead of {_FEW}: missed cycles, others", "", beside.missed, Target("=", 0)),
        figure(f"1 dead of {_FEW}: period p99, change", "%", change, Target("<", 5)),
    ]


@contextmanager
def _ports(devices: int) -> Iterator[list[int]]:
    with running([sys.executable, "-m", "tests.benchmarks.devices", "modbus_tcp", str(devices), str(_TAGS)]) as process:
        yield [int(port) for port in first_line(process).split()]


def _watch(at: Site, *halls: list[int], silent: int | None = None) -> list[Crowd]:
    """A collector a list of ports, all of them started and watched at once; nobody answers on the port `silent`."""
    with ExitStack() as stack:
        collectors = [
            stack.enter_context(collector(at, *(_device(number, port) for number, port in enumerate(ports))))
            for ports in halls
        ]
        for _, process in collectors:
            process.start()
        for (edge_id, _), ports in zip(collectors, halls, strict=True):
            at.subscriber.until(edge_id, len(ports) - (silent in ports), _START_WITHIN_S)
        time.sleep(_WARM_UP_S)
        begun_ns, spent = time.time_ns(), [cpu_s(process.pid) for _, process in collectors]
        time.sleep(_SECONDS)
        return [
            _crowd(at.subscriber.of(edge_id), begun_ns, process.pid, cpu_s(process.pid) - before)
            for (edge_id, process), before in zip(collectors, spent, strict=True)
        ]


def _crowd(received: Sequence[Received], begun_ns: int, pid: int, used_s: float) -> Crowd:
    periods = _periods(message for message in received if message.at_ns >= begun_ns)
    every = tuple(period for each in periods.values() for period in each)
    return Crowd(every, len(periods), 100 * used_s / _SECONDS, rss_mb(pid))


def _periods(received: Iterable[Received]) -> dict[str, list[float]]:
    stamps: defaultdict[str, list[int]] = defaultdict(list)
    for message in received:
        stamps[str(orjson.loads(message.payload)["connection_id"])].append(message.stamp_ns)
    return {device: [(later - sooner) / 1e9 for sooner, later in pairwise(each)] for device, each in stamps.items()}


def _device(number: int, port: int) -> dict[str, object]:
    return {
        "id": str(number),
        "name": f"PLC_{number:03d}",
        "protocol": "modbus_tcp",
        "connection": {"host": "127.0.0.1", "port": port, "unit_id": 1},
        "interval_ms": round(_INTERVAL_S * 1000),
        "tags": [tag(word, 40001 + word, "UINT16", 0.1) for word in range(_TAGS)],
    }
