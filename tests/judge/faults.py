"""What can be done to a plant. Each fault begins, lasts, ends, and is noted; none of them may cost a sample."""

import asyncio
import random
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from tests.judge.crash_points import POINTS
from tests.judge.disk import Disk, Leftovers, build, read_notes
from tests.judge.plant import Plant
from tests.judge.records import Fault
from tests.judge.shims import recorded

PATIENCE_S = 10.0
"""So long the collector waits for a PUBACK before it holds a silent link for dead."""
START_S = 3.0
"""So long a start may take until the first reading: two busy cores, and two for the promise of a machine of its own."""
_IN_AN_OUTAGE = ("read-no-commit", "in-commit", "committed-unsent", "sent-unacked", "acked-undeleted", "in-delete")

Inflict = Callable[[Plant, random.Random, float], Awaitable[None]]
"""Does it, for so many seconds where the fault has a length."""


@asynccontextmanager
async def noted(plant: Plant, name: str, notice_s: float = 0.0) -> AsyncIterator[None]:
    """The fault is the time that the block takes."""
    began = time.monotonic()
    yield
    plant.faults.append(Fault(name, began, time.monotonic(), notice_s))


async def broker_killed(plant: Plant, chance: random.Random, seconds: float) -> None:
    """kill -9, and away."""
    async with noted(plant, "broker killed"):
        plant.broker_forgot = True
        await asyncio.to_thread(plant.broker.kill)
        await plant.proxy.cut()
        await asyncio.sleep(seconds)
        await plant.broker_returns()


async def broker_paused(plant: Plant, chance: random.Random, seconds: float) -> None:
    """SIGSTOP: connections stand, and are even taken, but nothing is answered."""
    async with noted(plant, "broker paused"):
        plant.broker.pause()
        try:
            await asyncio.sleep(seconds)
        finally:
            plant.broker.resume()


async def black_hole(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The network swallows everything, and keeps the connections."""
    async with noted(plant, "black hole"):
        plant.proxy.swallow(True)
        await asyncio.sleep(seconds)
        plant.proxy.swallow(False)


async def half_open(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The broker's side is gone and the collector is not told."""
    async with noted(plant, "half-open", PATIENCE_S):
        plant.proxy.half_open()


async def reset(plant: Plant, chance: random.Random, seconds: float) -> None:
    """RST, now."""
    async with noted(plant, "RST"):
        plant.proxy.reset()


async def cut_in_a_packet(plant: Plant, chance: random.Random, seconds: float) -> None:
    """RST at a random byte of what is sent."""
    async with noted(plant, "cut at a random byte"):
        connections = plant.proxy.connections
        plant.proxy.reset_after(chance.randint(1, 2_000))
        await plant.until(lambda: plant.proxy.connections > connections, 30, "no new connection after a cut")


async def pubacks_swallowed(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The broker takes everything, and its answers get lost, on this connection and, if it is long, on the next."""
    async with noted(plant, "PUBACKs swallowed"):
        last = plant.proxy.connections + (seconds > PATIENCE_S / 2)
        plant.tap.swallows_pubacks_up_to = last
        await plant.until(lambda: plant.proxy.connections > last, 3 * PATIENCE_S, "it waits for ever")


async def slow_line(plant: Plant, chance: random.Random, seconds: float) -> None:
    """5 kB/s, and 200 ms each way."""
    async with noted(plant, "slow line", PATIENCE_S):
        plant.proxy.bytes_per_s, plant.proxy.delay_s = 5_000.0, 0.2
        await asyncio.sleep(seconds)
        plant.proxy.bytes_per_s, plant.proxy.delay_s = None, 0.0


async def collector_killed(plant: Plant, chance: random.Random, seconds: float) -> None:
    """kill -9 at a random moment, and a new start."""
    await asyncio.sleep(chance.uniform(0, 0.3))
    async with noted(plant, "collector killed", START_S):
        await plant.kill()
        await plant.start()


async def killed_while_the_broker_is_away(plant: Plant, chance: random.Random, seconds: float) -> None:
    """kill -9 while all that is recorded is on disk only."""
    async with noted(plant, "collector killed, broker away", START_S):
        await plant.proxy.cut()
        await asyncio.sleep(seconds)
        await plant.kill()
        await plant.start()
        await plant.proxy.open()


async def crashed_at_a_point(plant: Plant, chance: random.Random, seconds: float) -> None:
    """It dies in the middle of an outage, or of what follows, at a point that is named in its own code."""
    usual = plant.collector.environment
    async with noted(plant, "crash at a named point", START_S):
        await plant.proxy.cut()
        await plant.kill()
        point = chance.choice([point for point in _IN_AN_OUTAGE if point in POINTS])
        plant.collector.environment = usual | {"CRASHPOINT": f"{point}:{chance.randint(1, 5)}"}
        await plant.start()
        returning = asyncio.create_task(_open_after(plant, 0.5))
        await plant.died()
        await returning
        plant.collector.environment = usual
        await plant.start()


async def _open_after(plant: Plant, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await plant.proxy.open()


async def power_cut(plant: Plant, chance: random.Random, seconds: float) -> None:
    """The collector's machine loses its power while the broker is away: its disk holds only what was synced."""
    async with noted(plant, "power cut", START_S):
        await plant.proxy.cut()
        await asyncio.sleep(seconds)
        await plant.kill()
        restore_power(plant, chance)
        await plant.start()
        await plant.proxy.open()


def record_disk(plant: Plant) -> None:
    """Note from the next start on what the collector does to its disk; to be called before it."""
    log = plant.folder / "notes"
    log.unlink(missing_ok=True)
    plant.data_dir.mkdir(exist_ok=True)
    plant.collector.environment = recorded(plant.data_dir, log)
    plant.disk = Disk(plant.data_dir)


def restore_power(plant: Plant, chance: random.Random) -> None:
    """Give the collector the folder that a disk would have."""
    assert plant.disk is not None
    plant.disk.happen(read_notes(plant.folder / "notes"))
    shutil.rmtree(plant.data_dir)
    build(plant.disk.after_cut(chance.choice(list(Leftovers)), chance.randrange(1 << 32)), plant.data_dir)
    record_disk(plant)


FAULTS: Mapping[str, Inflict] = {
    inflict.__name__: inflict
    for inflict in (
        broker_killed,
        broker_paused,
        black_hole,
        half_open,
        reset,
        cut_in_a_packet,
        pubacks_swallowed,
        slow_line,
        collector_killed,
        *([crashed_at_a_point] if POINTS else []),
        killed_while_the_broker_is_away,
        power_cut,
    )
}
