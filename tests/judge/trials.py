"""The trials of the long run, by name, and how much of each is a full measure."""

import random
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.judge.crash_points import POINTS
from tests.judge.cycles import (
    CYCLES_A_ROUND,
    Cycle,
    Trial,
    carry_out,
    crash_at,
    failing_sync,
    kill_9,
    over_the_limit,
    power_cut,
    round_of,
)
from tests.judge.disturbances import disk_full, disk_slow
from tests.judge.outage import long_outage
from tests.judge.outcome import Outcome
from tests.judge.plant import RESUME_S, Plant
from tests.judge.records import Replay
from tests.judge.recovery import drains, resumptions
from tests.judge.schedule import ordeal, schedule
from tests.judge.soak import soak
from tests.judge.verdict import Verdict, first_arrivals

_FAULTS_A_PLANT = 11
_POLL_S = 0.02
_OUTAGE_POLL_S = 0.1
_SOAK_POLL_S = 0.1
_SOAK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Measure:
    """How much: `share` of the full number of cycles, and how long the long outage and the soak are."""

    seed: int
    share: float
    outage_s: float
    soak_s: float

    def of(self, full: int) -> int:
        """So many instead of the full number, at least one."""
        return max(1, round(full * self.share))


Inquiry = Callable[[Measure], Awaitable[Outcome]]


def fast(name: str, what: str, cycle: Cycle, full: int, *, must_lose: bool = False) -> Inquiry:
    """The real outbox in a process of its own, in rounds."""

    async def trial(measure: Measure) -> Outcome:
        began, left, verdicts = time.monotonic(), measure.of(full), list[Verdict]()
        cycles = left
        while left > 0:
            with _folder() as folder:
                seed = measure.seed + len(verdicts)
                verdicts.append(await round_of(folder / "trial", seed, cycle, min(left, CYCLES_A_ROUND)))
            left -= CYCLES_A_ROUND
        return Outcome(name, what, cycles, time.monotonic() - began, tuple(verdicts), must_lose)

    return trial


async def crash_points(measure: Measure) -> Outcome:
    """Twenty hits of each named point."""
    began, verdicts, crashes, cycles = time.monotonic(), list[Verdict](), 0, measure.of(20)
    for number, point in enumerate(POINTS):
        with _folder() as folder:
            hit = Trial(folder / "trial", random.Random(measure.seed + number))
            verdicts.append(await carry_out(hit, crash_at(point), cycles))
            crashes += hit.crashes
    what = f"outbox alone: crash at each of {len(POINTS)} named points"
    return Outcome(
        "crash_points", what, cycles * len(POINTS), time.monotonic() - began, tuple(verdicts),
        figures={"crashed there": float(crashes)},
    )  # fmt: skip


def whole(name: str, what: str, replay: Replay, full: int, faults: Sequence[str] | None = None) -> Inquiry:
    """The whole collector through a schedule of faults, in plants of eleven faults each."""

    async def trial(measure: Measure) -> Outcome:
        began, verdicts, figures = time.monotonic(), list[Verdict](), _Recovery()
        plan = list(schedule(measure.seed, measure.of(full), *([faults] if faults else [])))
        for first in range(0, len(plan), _FAULTS_A_PLANT):
            with _folder() as folder:
                async with Plant(folder, interval_s=_POLL_S, replay=replay) as plant:
                    part = plan[first : first + _FAULTS_A_PLANT]
                    verdicts.append(await ordeal(plant, measure.seed + first, part))
                    figures.take(plant)
        return Outcome(
            name, what, len(plan), time.monotonic() - began, tuple(verdicts), figures=figures.worst(),
            targets={"worst resume / allowed": 1.0},
        )  # fmt: skip

    return trial


async def disks(measure: Measure) -> Outcome:
    """A disk that others fill, and one whose syncs take half a second, under the whole collector."""
    began, verdicts, cycles = time.monotonic(), list[Verdict](), measure.of(5)
    for trouble in [disk_full, disk_slow] * cycles:
        with _folder() as folder:
            async with Plant(folder, interval_s=_POLL_S, filler=100, HEARTBEAT_INTERVAL_SEC=1) as plant:
                verdicts.append(await trouble(plant, 3.0))
    seconds = time.monotonic() - began
    return Outcome("disks", "collector: full disk, 500 ms syncs", 2 * cycles, seconds, tuple(verdicts))


async def outage(measure: Measure) -> Outcome:
    """A long outage at ten times the usual speed."""
    began = time.monotonic()
    with _folder() as folder:
        async with Plant(folder, interval_s=_OUTAGE_POLL_S, filler=100) as plant:
            found = await long_outage(plant, measure.outage_s, _OUTAGE_POLL_S)
    figures = {
        "outage s": measure.outage_s,
        "messages": float(found.messages),
        "RSS growth MiB": found.growth_mib,
        "RSS spread MiB": found.spread_mib,
        "poll late p99 ms": found.late_p99_s * 1000,
    }
    return Outcome(
        "outage", "collector: long outage, 10 polls/s", 1, time.monotonic() - began, (found.verdict,),
        figures=figures, targets={"RSS spread MiB": 20.0},
    )  # fmt: skip


async def long_soak(measure: Measure) -> Outcome:
    """A thousand tags a second and a fault every minute, for hours."""
    began = time.monotonic()
    with _folder() as folder:
        async with Plant(folder, interval_s=_SOAK_POLL_S, filler=99, CONFIG_SYNC_INTERVAL_SEC=5) as plant:
            found = await soak(plant, measure.seed, measure.soak_s, _SOAK_EVERY_S)
    least, most = found.descriptors()
    figures = {
        "values": found.verdict.delivered * 100.0,
        "RSS MiB, end": found.samples[-1].resident_mib,
        "RSS slope MiB/h": found.slope_mib_h(),
        "descriptors, least": float(least),
        "descriptors, most": float(most),
    }
    return Outcome(
        "soak", "collector: soak, a fault a minute", len(found.samples) - 1, time.monotonic() - began, (found.verdict,),
        figures=figures, targets={"RSS slope MiB/h": 1.0}, series=found.series(),
    )  # fmt: skip


TRIALS: Mapping[str, Inquiry] = {
    "kills": fast("kills", "outbox alone: kill -9 at random", kill_9, 500),
    "power_cuts": fast("power_cuts", "outbox alone: power cut", power_cut(), 200),
    "control": fast("control", "control: power cut, synchronous=NORMAL", power_cut(careless=True), 50, must_lose=True),
    "crash_points": crash_points,
    "failing_syncs": fast("failing_syncs", "outbox alone: a sync fails with EIO", failing_sync, 60),
    "limit": fast("limit", "outbox alone: over its limit, kill -9", over_the_limit, 30),
    "faults": whole("faults", "collector: all faults, fifo", "fifo", 66),
    "faults_live_first": whole("faults_live_first", "collector: all faults, live_first", "live_first", 33),
    "collector_kills": whole(
        "collector_kills", "collector: kill -9", "fifo", 20, ["collector_killed", "killed_while_the_broker_is_away"]
    ),
    "collector_power_cuts": whole("collector_power_cuts", "collector: power cut", "fifo", 20, ["power_cut"]),
    "packet_cuts": whole(
        "packet_cuts", "collector: cut at a random byte, RST", "fifo", 200, ["cut_in_a_packet", "reset"]
    ),
    "disks": disks,
    "outage": outage,
    "soak": long_soak,
}
ONLY_WHEN_NAMED = frozenset({"soak"})


class _Recovery:
    """How soon and how fast it recovered, at worst."""

    def __init__(self) -> None:
        self._after: defaultdict[str, list[float]] = defaultdict(list)
        self._allowed: dict[str, float] = {}
        self._times: list[float] = []

    def take(self, plant: Plant) -> None:
        record = plant.record()
        first = list(first_arrivals(record).values())
        for resumption in resumptions(record, first):
            self._after[resumption.fault].append(resumption.after_s or 0.0)
            self._allowed[resumption.fault] = resumption.allowed_s
        self._times += [drain.times for drain in drains(record, first)]

    def worst(self) -> dict[str, float]:
        """Of the resumptions in seconds, against what each was allowed, and of the drains in times of the growth."""
        broken = [s for name, after in self._after.items() if self._allowed[name] <= RESUME_S for s in after]
        shares = [s / self._allowed[name] for name, after in self._after.items() for s in after]
        worst = {"resumptions": float(len(shares)), "worst resume / allowed": max(shares, default=0.0)}
        if broken:
            worst["worst resume s (link seen to break)"] = max(broken)
        if self._times:
            worst["slowest drain ×"] = min(self._times)
        return worst


@contextmanager
def _folder() -> Iterator[Path]:
    """One of its own; it stays for inspection when the trial raises."""
    folder = Path(tempfile.mkdtemp(prefix="judge-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
