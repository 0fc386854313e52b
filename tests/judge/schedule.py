"""Which fault comes when: a seed decides, and every fault has its turn before one comes again."""

import asyncio
import random
from collections.abc import Iterator, Sequence

from tests.judge.disturbances import sentence
from tests.judge.faults import FAULTS, record_disk
from tests.judge.plant import Plant
from tests.judge.verdict import Verdict


def schedule(seed: int, count: int, names: Sequence[str] = tuple(FAULTS)) -> Iterator[tuple[str, float]]:
    """So many faults by name, and how many seconds each lasts."""
    chance, pile = random.Random(seed), list[str]()
    for _ in range(count):
        if not pile:
            pile = list(names)
            chance.shuffle(pile)
        yield pile.pop(), round(chance.uniform(0.5, 8.0), 1)


async def ordeal(plant: Plant, seed: int, faults: Sequence[tuple[str, float]]) -> Verdict:
    """Do all that to a plant, with a calm after each, stop it, and judge."""
    chance = random.Random(seed)
    if any(name == "power_cut" for name, _ in faults):
        record_disk(plant)
    await plant.start()
    await plant.calm()
    for name, seconds in faults:
        await FAULTS[name](plant, chance, seconds)
        await plant.calm()
        await asyncio.sleep(chance.uniform(0.2, 0.6))
    return await sentence(plant)
