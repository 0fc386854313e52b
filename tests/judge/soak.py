"""Hours of normal work with a fault every minute: whether memory, descriptors and the promise hold."""

import asyncio
import random
import statistics
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.judge.disturbances import sentence
from tests.judge.faults import FAULTS, Inflict, noted
from tests.judge.plant import Plant
from tests.judge.schedule import schedule
from tests.judge.verdict import Verdict

_BACK_ONLINE_S = 35.0
"""A PLC that was away is asked again within 30 s."""
_ON_ITS_WAY_S = 0.2
"""An answer that was sent before its connection broke may have broken with it."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The process in the calm before a fault. `at_h` counts from the start; `resident_mib` is the median of some."""

    at_h: float
    resident_mib: float
    descriptors: int

    def __str__(self) -> str:
        return f"{self.at_h * 60:.0f} min: {self.resident_mib:.1f} MiB, {self.descriptors} descriptors"


@dataclass(frozen=True, slots=True)
class Soak:
    """What was measured, and the judge's verdict on all of it."""

    verdict: Verdict
    samples: Sequence[Sample]

    def slope_mib_h(self) -> float:
        """Least squares over the samples after a warm-up, which is a sixth of the time."""
        settled = self.samples[len(self.samples) // 6 :]
        if len(settled) < 2:
            return 0.0
        return statistics.linear_regression(
            [sample.at_h for sample in settled], [sample.resident_mib for sample in settled]
        ).slope

    def series(self) -> Mapping[str, Sequence[float]]:
        """The samples, one list a figure."""
        return {
            "min": [sample.at_h * 60 for sample in self.samples],
            "RSS MiB": [sample.resident_mib for sample in self.samples],
            "descriptors": [sample.descriptors for sample in self.samples],
        }

    def descriptors(self) -> tuple[int, int]:
        """The least and the most."""
        seen = [sample.descriptors for sample in self.samples]
        return min(seen), max(seen)


async def soak(plant: Plant, seed: int, seconds: float, every_s: float) -> Soak:
    """A fault each `every_s` for so many seconds; none that ends the process, for it is its memory that is watched.

    Each sample is told on stderr, for two hours are long.
    """
    chance = random.Random(seed)
    await plant.start()
    await plant.calm()
    samples: list[Sample] = []
    began = time.monotonic()
    for number, (name, lasts_s) in enumerate(schedule(seed, max(1, round(seconds / every_s)), tuple(SOAK_FAULTS))):
        await asyncio.sleep(max(0.0, began + number * every_s - time.monotonic()))
        samples.append(await _sample(plant, began))
        print(f"         {samples[-1]}, now: {name}", file=sys.stderr, flush=True)
        await SOAK_FAULTS[name](plant, chance, lasts_s)
        await plant.calm(within_s=max(60.0, every_s))
    samples.append(await _sample(plant, began))
    return Soak(await sentence(plant), samples)


async def _sample(plant: Plant, began: float) -> Sample:
    resident = []
    for _ in range(5):
        resident.append(plant.collector.rss_mib())
        await asyncio.sleep(0.2)
    at_h = (time.monotonic() - began) / 3600
    return Sample(at_h, statistics.median(resident), plant.collector.descriptors())


@asynccontextmanager
async def _plc_away(plant: Plant, name: str) -> AsyncIterator[None]:
    began = time.monotonic()
    async with noted(plant, name, _BACK_ONLINE_S):
        yield
        plant.plc.faults.clear()
    plant.unanswered.append((began - _ON_ITS_WAY_S, time.monotonic()))


async def plc_dead(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The PLC refuses connections, and breaks those it has."""
    async with _plc_away(plant, "PLC dead"):
        plant.plc.faults.dead = True
        await asyncio.sleep(seconds)


async def plc_silent(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The PLC takes everything and answers nothing."""
    async with _plc_away(plant, "PLC silent"):
        plant.plc.faults.silent = True
        await asyncio.sleep(seconds)


async def fleet_down(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The Fleet server is away: nothing may be noticed of it."""
    async with noted(plant, "Fleet server down"):
        plant.fleet.faults.down = True
        await asyncio.sleep(seconds)
        plant.fleet.faults.clear()


async def fleet_cuts_documents(plant: Plant, chance: random.Random, seconds: float) -> None:
    """A newer document comes in half, again and again."""
    async with noted(plant, "half documents"):
        plant.fleet.faults.half_json = True
        plant.fleet.edit(lambda document: document.update(edge_name=f"재판소 {chance.randrange(1000)}"))
        await asyncio.sleep(seconds)
        plant.fleet.faults.clear()


_DEADLY = ("collector_killed", "crashed_at_a_point", "killed_while_the_broker_is_away", "power_cut")

SOAK_FAULTS: dict[str, Inflict] = {
    **{name: inflict for name, inflict in FAULTS.items() if name not in _DEADLY},
    **{inflict.__name__: inflict for inflict in (plc_dead, plc_silent, fleet_down, fleet_cuts_documents)},
}
