"""A long outage of the broker, at speed: whether memory stays flat and polling undisturbed. (B2)"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.judge.disturbances import sentence
from tests.judge.faults import noted
from tests.judge.plant import Plant
from tests.judge.verdict import Verdict

_WARM_UP_S = 15.0
_SAMPLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Outage:
    """What was measured while the broker was away: `resident_mib` once a second, `late_s` each poll's delay."""

    verdict: Verdict
    resident_mib: Sequence[float]
    late_s: Sequence[float]
    messages: int

    @property
    def growth_mib(self) -> float:
        """The end against the beginning, each as the median of a tenth."""
        tenth = max(1, len(self.resident_mib) // 10)
        return _median(self.resident_mib[-tenth:]) - _median(self.resident_mib[:tenth])

    @property
    def spread_mib(self) -> float:
        """The most against the least."""
        return max(self.resident_mib) - min(self.resident_mib)

    @property
    def late_p99_s(self) -> float:
        """What 99 of 100 polls do not exceed."""
        return sorted(self.late_s)[int(len(self.late_s) * 0.99)]


async def long_outage(plant: Plant, seconds: float, interval_s: float) -> Outage:
    """The broker is away for so long; afterwards everything must arrive."""
    await plant.start()
    await plant.calm()
    await asyncio.sleep(_WARM_UP_S)
    resident: list[float] = []
    async with noted(plant, "long outage"):
        await plant.proxy.cut()
        first, began = plant.made, time.monotonic()
        while time.monotonic() - began < seconds:
            resident.append(plant.collector.rss_mib())
            await asyncio.sleep(_SAMPLE_S)
        polled = [seen.at for seen in plant.plc.record.reads if seen.read > first]
        await plant.proxy.open()
    await plant.calm(within_s=60 + seconds)
    late = [max(0.0, later - earlier - interval_s) for earlier, later in pairwise(polled)]
    return Outage(await sentence(plant), resident, late, len(polled))


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
