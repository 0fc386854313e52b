"""The short run of the fast cycles: the real outbox in a process of its own, seeds fixed."""

import random
from pathlib import Path

import pytest

from tests.judge.crash_points import POINTS
from tests.judge.cycles import Trial, carry_out, crash_at, failing_sync, kill_9, over_the_limit, power_cut, round_of


async def test_d1_kill_9_costs_nothing_that_was_recorded(tmp_path: Path) -> None:
    verdict = await round_of(tmp_path / "trial", 20_260_417, kill_9, cycles=6)
    assert verdict.kept, str(verdict)
    assert verdict.owed > 500


async def test_d2_a_power_cut_costs_nothing_that_was_recorded(tmp_path: Path) -> None:
    verdict = await round_of(tmp_path / "trial", 1, power_cut())
    assert verdict.kept, str(verdict)
    assert verdict.owed > 500


async def test_d2_the_control_without_syncs_loses(tmp_path: Path) -> None:
    verdict = await round_of(tmp_path / "trial", 1, power_cut(careless=True), cycles=4)
    assert verdict.lost > 100


@pytest.mark.parametrize("point", POINTS)
async def test_d3_a_crash_at_a_named_point_costs_nothing_that_was_recorded(tmp_path: Path, point: str) -> None:
    trial = Trial(tmp_path / "trial", random.Random(3))
    verdict = await carry_out(trial, crash_at(point), cycles=1)
    assert verdict.kept, str(verdict)
    assert trial.crashes == 1


async def test_d9_a_sync_that_fails_is_a_commit_that_failed(tmp_path: Path) -> None:
    verdict = await round_of(tmp_path / "trial", 9, failing_sync, cycles=3)
    assert verdict.kept, str(verdict)
    assert verdict.owed > 500


async def test_d5_what_the_limit_drops_is_named_to_the_message(tmp_path: Path) -> None:
    verdict = await round_of(tmp_path / "trial", 5, over_the_limit, cycles=3)
    assert verdict.kept, str(verdict)
    assert verdict.named > 500
    assert verdict.delivered > 500
