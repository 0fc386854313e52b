"""The four workloads, and what each is held against. The collector runs as it is shipped, but for what a name says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from tests.benchmarks.course import Course, percentiles
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.polling import Load, Windows, watch
from tests.benchmarks.site import Site
from tests.benchmarks.tags import half_float32, uint16

_PERCENTILES = ((0.5, "median"), (0.99, "p99"))
_BARE = {"HTTP_PORT": 0, "HISTORY_MAX_MB": 0}


@dataclass(frozen=True, slots=True)
class Workload:
    """What is polled, for how long, and its targets, if any: µs a value, MB, milliseconds by percentile."""

    name: str
    load: Load
    windows: Windows
    cpu_us: float | None = None
    cpu_floors: float | None = None
    memory_mb: float | None = 120
    late_ms: tuple[float | None, float | None] = (None, None)
    over_floor_ms: tuple[float | None, float | None] = (None, None)


WORKLOADS = (
    Workload(
        "W1: 1 device × 1,000 registers, 1 s",
        Load(uint16()),
        Windows(3, 34, 3),
        cpu_us=5,
        late_ms=(2, 8),
        over_floor_ms=(1, 3),
    ),
    Workload("W1 without page and history", Load(uint16(), settings=_BARE), Windows(3, 6, 3), cpu_us=5, memory_mb=80),
    Workload("W1 with half of the tags FLOAT32", Load(half_float32()), Windows(3, 8, 3), cpu_us=5),
    Workload("W2: 10 devices × 500 registers, 1 s", Load(uint16(500), 10), Windows(3, 8, 3), cpu_us=2.5),
    Workload("W3: 1 device × 100 tags, 100 ms", Load(uint16(100, interval_ms=100)), Windows(3, 8, 3), cpu_us=12),
    Workload(
        "W4: 10 devices × 1,000 registers, 100 ms",
        Load(uint16(interval_ms=100), 10),
        Windows(3, 8, 3),
        cpu_us=1.5,
        cpu_floors=2,
    ),
)
QUICK = Windows(2, 1, 3)
_QUICK_NAMES = ("W1:", "W3:", "W4:")


def measure(at: Site, *, quick: bool) -> Iterator[Figure]:
    """All of them, one after the other, each beside its floor."""
    for workload in WORKLOADS:
        if not quick:
            yield from beside_its_floor(at, workload)
        elif workload.name.startswith(_QUICK_NAMES):
            yield from beside_its_floor(at, replace(workload, windows=QUICK))


def beside_its_floor(at: Site, workload: Workload) -> Iterator[Figure]:
    """One of them."""
    watched = watch(at, workload.load, workload.windows, with_floor=True)
    ours, bare = watched.ours, watched.bare
    assert bare is not None

    def figure(
        name: str, unit: str, values: Sequence[float], target: Target | None = None, floor: Sequence[float] = ()
    ) -> Figure:
        return Figure(workload.name, name, unit, tuple(values), target, tuple(floor))

    floors = [mine / floor for mine, floor in zip(ours.cpu_us, bare.cpu_us, strict=True)]
    yield figure("delivered", "%", [ours.delivered_percent], Target("=", 100), [bare.delivered_percent])
    yield figure("cycles missed", "", [sum(sample.missed for sample in ours.samples)], Target("=", 0))
    yield figure("CPU per published value", "µs", ours.cpu_us, _at_most(workload.cpu_us), bare.cpu_us)
    if workload.cpu_floors is not None:
        yield figure("CPU, as many times the floor's", "×", floors, Target("≤", workload.cpu_floors))
    memory, polled = _at_most(workload.memory_mb), not workload.load.device.told
    yield figure("memory at its peak (RSS)", "MB", [watched.rss_mb], memory, [watched.bare_rss_mb or 0])
    yield from _late(workload, ours, bare)
    yield from _off_beat(workload, ours, bare)
    if polled:
        yield figure("requests a poll", "", sorted(sample.requests for sample in ours.samples) or [0])
    yield figure("messages a poll" if polled else "messages a cycle", "", [ours.messages / max(len(ours.samples), 1)])
    yield figure("size of a message", "kB", ours.size_kb or [0])


def _late(workload: Workload, ours: Course, bare: Course) -> Iterator[Figure]:
    for (share, called), limit in zip(_PERCENTILES, workload.late_ms, strict=True):
        values, whole = percentiles(ours.late_ms, share)
        floor = (percentiles(bare.late_ms, share)[1],)
        since = "message's own time" if workload.load.device.told else "last answer"
        yield Figure(workload.name, f"{since} → subscriber, {called}", "ms", values, _at_most(limit), floor, whole)


def _off_beat(workload: Workload, ours: Course, bare: Course) -> Iterator[Figure]:
    for (share, called), limit in zip(_PERCENTILES, workload.over_floor_ms, strict=True):
        values, whole = percentiles(ours.off_beat_ms, share)
        floors, floor = percentiles(bare.off_beat_ms, share)
        between = "messages" if workload.load.device.told else "polls"
        yield Figure(workload.name, f"jitter between {between}, {called}", "ms", values, None, (floor,), whole)
        over = tuple(mine - other for mine, other in zip_longest(values, floors, fillvalue=0.0))
        name = f"jitter over the floor's, {called}"
        yield Figure(workload.name, name, "ms", over, _at_most(limit), whole=whole - floor)


def _at_most(limit: float | None) -> Target | None:
    return None if limit is None else Target("≤", limit)
