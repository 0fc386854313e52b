"""The short run with the real collector: each fault once or twice, seeds fixed. The long run is `make judge`."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from tests.judge.crash_points import POINTS
from tests.judge.disturbances import broker_lost_its_state, disk_full, disk_slow
from tests.judge.faults import FAULTS
from tests.judge.plant import Plant
from tests.judge.recovery import resumptions
from tests.judge.schedule import ordeal, schedule
from tests.judge.soak import soak
from tests.judge.verdict import Verdict, first_arrivals, judge

SEED = 20_260_417


async def after(folder: Path, *faults: tuple[str, float]) -> tuple[Verdict, Plant]:
    async with Plant(folder, interval_s=0.02) as plant:
        verdict = await ordeal(plant, SEED, faults)
    assert verdict.kept, f"{verdict}\n{plant.collector.log[-3000:]}"
    assert verdict.owed > 20
    return verdict, plant


def recovered_from(plant: Plant) -> Sequence[str]:
    record = plant.record()
    return [resumption.fault for resumption in resumptions(record, list(first_arrivals(record).values()))]


async def test_b1_a_broker_that_dies_and_returns(tmp_path: Path) -> None:
    verdict, plant = await after(tmp_path, ("broker_killed", 2.5), ("broker_killed", 0.2))
    assert verdict.forgotten == 0
    assert recovered_from(plant) == ["broker killed"] * 2


async def test_b4_a_broker_that_hangs_and_a_network_that_swallows(tmp_path: Path) -> None:
    _, plant = await after(tmp_path, ("broker_paused", 2.0), ("black_hole", 2.0))
    assert recovered_from(plant) == ["broker paused", "black hole"]


async def test_b5_pubacks_that_never_come(tmp_path: Path) -> None:
    verdict, plant = await after(tmp_path, ("pubacks_swallowed", 0.0))
    assert verdict.duplicates >= 10
    assert plant.tap.repeated == 0
    assert plant.proxy.connections >= 2


async def test_b6_a_line_of_five_kilobytes_a_second(tmp_path: Path) -> None:
    await after(tmp_path, ("slow_line", 2.5))


async def test_b7_connections_that_break_in_the_middle_of_a_packet(tmp_path: Path) -> None:
    _, plant = await after(tmp_path, *[("cut_in_a_packet", 0.0)] * 4, ("reset", 0.0))
    assert plant.proxy.connections >= 6


async def test_b15_what_a_broker_lost_after_its_puback_is_found_and_is_its_own(tmp_path: Path) -> None:
    async with Plant(tmp_path) as plant:
        verdict = await broker_lost_its_state(plant)
        assert verdict.kept, str(verdict)
        assert verdict.forgotten > 5
        plant.broker_forgot = False
        unexcused = judge(plant.record())
        assert unexcused.lost == verdict.forgotten
        assert {finding.rule for finding in unexcused.findings} == {"delivered", "holes"}


async def test_d1_kill_9_of_the_whole_collector(tmp_path: Path) -> None:
    verdict, _ = await after(tmp_path, ("collector_killed", 0.0), ("killed_while_the_broker_is_away", 1.0))
    assert verdict.restarts == 2


async def test_d2_a_power_cut_under_the_whole_collector(tmp_path: Path) -> None:
    verdict, _ = await after(tmp_path, ("power_cut", 1.0), ("power_cut", 0.5))
    assert verdict.restarts == 2


@pytest.mark.skipif(not POINTS, reason="this release has no crash points")
async def test_d3_a_crash_of_the_whole_collector_at_a_named_point(tmp_path: Path) -> None:
    verdict, _ = await after(tmp_path, ("crashed_at_a_point", 0.0), ("crashed_at_a_point", 0.0))
    assert verdict.restarts >= 2


async def test_d4_a_disk_that_others_fill(tmp_path: Path) -> None:
    async with Plant(tmp_path, interval_s=0.02, filler=100, HEARTBEAT_INTERVAL_SEC=1) as plant:
        verdict = await disk_full(plant, 1.0)
        assert verdict.kept, str(verdict)


async def test_d10_a_disk_whose_syncs_take_half_a_second_holds_up_no_poll(tmp_path: Path) -> None:
    async with Plant(tmp_path, interval_s=0.02) as plant:
        verdict = await disk_slow(plant, 3.0)
        # How fast a backlog comes off such a disk is promised to nobody.
        assert {finding.rule for finding in verdict.findings} <= {"resumed", "drained"}, str(verdict)
        reads = [seen.at for seen in plant.plc.record.reads]
        assert sum(later - earlier > 0.3 for earlier, later in pairwise(reads)) <= 1


def test_a_schedule_is_decided_by_its_seed_and_leaves_no_fault_out() -> None:
    once = list(schedule(7, len(FAULTS)))
    assert once == list(schedule(7, len(FAULTS)))
    assert once != list(schedule(8, len(FAULTS)))
    assert {name for name, _ in once} == set(FAULTS)


async def test_a_soak_notes_memory_and_descriptors_before_each_fault(tmp_path: Path) -> None:
    async with Plant(tmp_path) as plant:
        found = await soak(plant, SEED, seconds=1.0, every_s=1.0)
    assert found.verdict.kept, str(found.verdict)
    assert len(found.samples) == 2
    assert all(sample.resident_mib > 20 and sample.descriptors > 5 for sample in found.samples)
