"""How cost grows: the same tags on ever more devices, and ever more tags on the same devices."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.course import percentiles
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.polling import Load, Watched, Windows, watch
from tests.benchmarks.site import Site
from tests.benchmarks.tags import uint16

SUBJECT = "scale: every second"
_FEW, _HUNDRED = 30, 100
DEVICES = (1, 10, 100, 500, 1_000)
TAGS = (10, 100, 1_000)
_WINDOWS = Windows(3, 3, 3)
_QUICK = Windows(2, 1, 3)
_LIMITS_500 = {"memory (RSS)": Target("<", 200), "cycles missed": Target("=", 0)}
_LIMITS_100_000 = {"memory (RSS)": Target("≤", 300), "cycles missed": Target("=", 0)}


@dataclass(frozen=True, slots=True)
class Row:
    """So many devices with so many tags each."""

    devices: int
    tags: int

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.devices:,} × {self.tags:,}"

    @property
    def limits(self) -> dict[str, Target]:
        """What is promised of it, by figure."""
        return {(500, _FEW): _LIMITS_500, (_HUNDRED, 1_000): _LIMITS_100_000}.get((self.devices, self.tags), {})


ROWS = (*(Row(devices, _FEW) for devices in DEVICES), *(Row(_HUNDRED, tags) for tags in TAGS))


def measure(at: Site, *, quick: bool) -> Iterator[Figure]:
    """A collector a row, one after the other; then what ten times as much costs."""
    rows = ROWS[1:2] if quick else ROWS
    done = {row: _watch(at, row, _QUICK if quick else _WINDOWS) for row in rows}
    for row, watched in done.items():
        yield from _cells(row, watched)
    if not quick:
        yield from _growth(done)


def _watch(at: Site, row: Row, windows: Windows) -> Watched:
    return watch(at, Load(uint16(row.tags), row.devices), windows, with_floor=False)


def _cells(row: Row, watched: Watched) -> Iterator[Figure]:
    ours = watched.ours
    off_beat = [percentiles(ours.off_beat_ms, share) for share in (0.5, 0.99)]

    def cell(name: str, unit: str, *values: float, whole: float | None = None) -> Figure:
        return Figure(SUBJECT, name, unit, values, row.limits.get(name), whole=whole, case=row.name)

    yield cell("tags", "", row.devices * row.tags)
    yield cell("start", "s", watched.start_s)
    yield cell("CPU of one core", "%", ours.cpu_percent)
    yield cell("CPU per value", "µs", *ours.cpu_us)
    yield cell("memory (RSS)", "MB", watched.rss_mb)
    yield cell("jitter, median", "ms", *off_beat[0][0], whole=off_beat[0][1])
    yield cell("jitter, p99", "ms", *off_beat[1][0], whole=off_beat[1][1])
    yield cell("cycles missed", "", sum(sample.missed for sample in ours.samples))
    yield cell("delivered", "%", ours.delivered_percent)


def _growth(done: dict[Row, Watched]) -> Iterator[Figure]:
    """Linear is ten for ten times as much; it is less where a part of the cost is there for a single device already."""
    for less, more in ((Row(100, _FEW), Row(1_000, _FEW)), (Row(_HUNDRED, 100), Row(_HUNDRED, 1_000))):
        small, large = done[less], done[more]
        what = f"{less.name} → {more.name}"
        added_kb = (large.rss_mb - small.rss_mb) * 1e3 / (more.devices * more.tags - less.devices * less.tags)
        grown = large.ours.cpu_percent / small.ours.cpu_percent
        yield Figure("scale: ten times as much", f"CPU, {what}", "×", (grown,), Target("≤", 11))
        yield Figure("scale: ten times as much", f"memory a tag, {what}", "kB", (added_kb,))
