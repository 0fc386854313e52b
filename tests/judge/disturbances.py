"""Trials of a whole plant that need more than a fault between two calms."""

import asyncio
from contextlib import suppress

from tests.judge.faults import noted
from tests.judge.hard_disk import SmallDisk
from tests.judge.plant import Plant
from tests.judge.shims import Mood
from tests.judge.verdict import Verdict, judge

_DEGRADED = "storage_degraded"
_TOLD_WITHIN_S = 10.0
_HEALED_WITHIN_S = 70.0
_EMPTIED_WITHIN_S = 15.0
_STARTS_TO_EMPTY = 2


async def broker_lost_its_state(plant: Plant) -> Verdict:
    """The broker acknowledges what its subscriber has not got, and is killed: nothing a collector could prevent."""
    await plant.start()
    await plant.calm()
    async with plant.subscriber.away():
        acknowledged = len(plant.tap.acknowledged)
        await plant.until(
            lambda: len(plant.tap.acknowledged) > acknowledged + 10, 10, "the broker acknowledges nothing"
        )
        plant.broker_forgot = True
        await asyncio.to_thread(plant.broker.kill)
        await plant.proxy.cut()
        await asyncio.to_thread(plant.broker.start)
    await plant.proxy.open()
    await plant.calm()
    return await sentence(plant)


async def disk_full(plant: Plant, seconds: float, megabytes: int = 16) -> Verdict:
    """Others fill the disk while the broker is away. It returns, and then there is room on the disk again.

    The plant's heartbeat is what tells of it: its ``HEARTBEAT_INTERVAL_SEC`` should be 1.
    """
    disk = SmallDisk(plant, megabytes)
    await plant.start()
    await plant.calm()
    await plant.proxy.cut()
    with disk.full():
        await asyncio.sleep(seconds)
        await plant.proxy.open()
        await plant.until(lambda: _DEGRADED in plant.subscriber.conditions, _TOLD_WITHIN_S, "nothing says it is full")
        await plant.calm()
    await plant.until(lambda: _DEGRADED not in plant.subscriber.conditions, _HEALED_WITHIN_S, "it does not heal")
    await plant.proxy.cut()
    await asyncio.sleep(seconds)
    await plant.proxy.open()
    await plant.calm()
    return await sentence(plant)


async def disk_slow(plant: Plant, seconds: float, sync_ms: int = 500) -> Verdict:
    """The broker is away, and each sync takes half a second."""
    mood = Mood(plant.folder / "mood")
    plant.collector.environment = mood.environment
    await plant.start()
    await plant.calm()
    mood.set(f"slow {sync_ms}")
    async with noted(plant, "slow disk, broker away"):
        await plant.proxy.cut()
        await asyncio.sleep(seconds)
        await plant.proxy.open()
    await plant.calm()
    mood.set("")
    return await sentence(plant)


async def sentence(plant: Plant) -> Verdict:
    """Stop the collector, start it again as long as something waits on its disk, and judge."""
    await _stop(plant)
    for _ in range(_STARTS_TO_EMPTY):
        if not judge(plant.record()).lost:
            break
        await plant.start()
        await plant.calm()
        with suppress(AssertionError):  # the verdict will say what is lost
            await plant.until(lambda: not judge(plant.record()).lost, _EMPTIED_WITHIN_S, "it does not empty its disk")
        await _stop(plant)
    return judge(plant.record())


async def _stop(plant: Plant) -> None:
    status = await plant.stop()
    assert status == 0, f"the collector ended with status {status}:\n{plant.collector.log[-3000:]}"
    await asyncio.sleep(0.3)  # what it sent last is on its way through the broker
