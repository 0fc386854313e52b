"""What becomes of an alarm: told, kept, acknowledged, over; and what thresholds hold."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from collector.alarms.alarm import Level, State
from collector.alarms.alarms import Alarms
from collector.alarms.announcer import EVENTS_AT_ONCE
from collector.alarms.errors import ThresholdsRefused, UnknownAlarm, UnknownTag
from collector.config.plan import DevicePlan, Thresholds
from collector.status.board import Board, DeviceCondition
from protocols.quality import Quality
from tests.doubles.clock import FakeClock
from tests.doubles.plans import plan_of
from tests.doubles.scans import plain_device, scan_of

HOT = Thresholds(high=80, high_high=90)
FOREVER = 1 << 43


@dataclass
class Rig:
    folder: Path
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Mapping[str, object]] = field(default_factory=list)
    device: DevicePlan = field(
        default_factory=lambda: plain_device(["temperature", "mode"], thresholds={"temperature": HOT})
    )

    def __post_init__(self) -> None:
        self.board = Board(self.clock)

    def open(self) -> AbstractAsyncContextManager[Alarms]:
        return Alarms.open(self.folder, tell=self.told.append, clock=self.clock, board=self.board)

    def look(self, alarms: Alarms, value: object, quality: Quality | None = None) -> None:
        self.clock.advance(1)
        bad = {0: quality} if quality else {}
        alarms.look(scan_of(self.device, self.clock.wall_ms(), [value, "AUTO"], bad))  # type: ignore[list-item]

    @property
    def states(self) -> list[tuple[object, object]]:
        return [(event["level"], event["state"]) for event in self.told]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path / "alarms")


async def test_each_limit_is_an_alarm_of_its_own_and_told_as_the_contract_says(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        for value in (75, 85.5, 95, 70):
            rig.look(alarms, value)
    assert rig.states == [
        ("high", "raised"), ("high_high", "raised"), ("high", "left"), ("high_high", "left"),
    ]  # fmt: skip
    assert rig.told[0] == {
        "device_id": "1",
        "tag": "temperature",
        "level": "high",
        "state": "raised",
        "value": 85.5,
        "limit": 80.0,
        "since": "2026-04-17T08:00:02.000Z",
    }


@pytest.mark.parametrize("quality", [Quality.UNCERTAIN, Quality.TIMEOUT])
async def test_bad_quality_neither_raises_nor_clears(rig: Rig, quality: Quality) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85, quality)
        assert alarms.active() == []
        rig.look(alarms, 85)
        rig.look(alarms, 20, quality)
        rig.look(alarms, None)
        assert [alarm.level for alarm in alarms.active()] == [Level.HIGH]


async def test_an_active_alarm_survives_a_restart_and_leaves_after_it(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85)
        [before] = alarms.active()
    rig.told.clear()
    async with rig.open() as alarms:
        assert alarms.active() == [before]
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 86)
        assert (alarms.active(), rig.told) == ([before], [])
        rig.look(alarms, 20)
        rig.clock.advance(60)
        rig.look(alarms, 85)
        assert [alarm.id for alarm in alarms.active()] == [before.id + 1]
        kept = await alarms.history(0, FOREVER)
        assert [(alarm.id, alarm.state) for alarm in kept] == [(before.id + 1, State.RAISED), (before.id, State.LEFT)]
        assert kept[1].left_ms is not None


async def test_acknowledged_by_whom_and_once(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85)
        [raised] = alarms.active()
        seen = alarms.acknowledge(raised.id, "김반장")
        assert (seen.state, seen.acknowledged_by) == (State.ACKNOWLEDGED, "김반장")
        assert alarms.acknowledge(raised.id, "another") == seen
        assert alarms.active() == [seen]
        rig.look(alarms, 20)
        assert rig.states == [("high", "raised"), ("high", "acknowledged"), ("high", "left")]
        [left] = await alarms.history(0, FOREVER)
        assert (left.state, left.acknowledged_by) == (State.LEFT, "김반장")
        with pytest.raises(UnknownAlarm):
            alarms.acknowledge(4711, "me")


async def test_one_that_left_can_still_be_acknowledged(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85)
        rig.look(alarms, 20)
        [left] = await alarms.history(0, FOREVER)
        assert alarms.acknowledge(left.id, "me").state is State.LEFT
        assert [alarm.acknowledged_by for alarm in await alarms.history(0, FOREVER)] == ["me"]


async def test_a_device_that_is_away_is_an_alarm_of_its_own(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.board.on_change.append(alarms.look_at)
        rig.board.expect("1", "PLC 1")
        assert alarms.active() == []
        rig.board.device("1", "PLC 1", DeviceCondition.OFFLINE, "no answer")
        [away] = alarms.active()
        assert (away.level, away.tag, away.value, away.limit) == (Level.AWAY, None, None, None)
        rig.board.device("1", "PLC 1", DeviceCondition.DEGRADED, "a tag")
        assert alarms.active() == []
        rig.board.device("1", "PLC 1", DeviceCondition.FAULTED, "a bug")
        assert len(alarms.active()) == 1
        alarms.follow(plan_of())
        assert alarms.active() == []
    assert {frozenset(event) for event in rig.told} == {frozenset({"device_id", "level", "state", "since"})}


async def test_thresholds_that_were_set_here_hold_until_the_document_names_some(rig: Rig) -> None:
    bare = replace(rig.device, thresholds=())
    async with rig.open() as alarms:
        alarms.follow(plan_of(bare))
        alarms.set_thresholds("1", "temperature", Thresholds(low=10))
        rig.look(alarms, 5)
        assert [alarm.level for alarm in alarms.active()] == [Level.LOW]
    async with rig.open() as alarms:
        alarms.follow(plan_of(bare))
        assert alarms.thresholds("1", "temperature") == Thresholds(low=10)
        alarms.follow(plan_of(rig.device))
        assert alarms.thresholds("1", "temperature") == HOT
        assert alarms.active() == []
        with pytest.raises(ThresholdsRefused, match="Fleet"):
            alarms.remove_thresholds("1", "temperature")
        alarms.follow(plan_of(bare))
        alarms.remove_thresholds("1", "temperature")
        assert alarms.thresholds("1", "temperature") is None
    async with rig.open() as alarms:
        alarms.follow(plan_of(bare))
        assert alarms.thresholds("1", "temperature") is None
        with pytest.raises(UnknownTag):
            alarms.set_thresholds("1", "no such tag", HOT)
        with pytest.raises(ThresholdsRefused):
            alarms.set_thresholds("1", "mode", Thresholds(low=2, high=1))


async def test_removing_thresholds_ends_their_alarms(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(replace(rig.device, thresholds=())))
        alarms.set_thresholds("1", "temperature", HOT)
        rig.look(alarms, 85)
        alarms.remove_thresholds("1", "temperature")
        assert alarms.active() == []
        assert rig.states[-1] == ("high", "left")


async def test_one_that_chatters_stays_one_alarm_and_sends_six_events_a_minute(rig: Rig) -> None:
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        for _ in range(25):
            rig.look(alarms, 85)
            rig.look(alarms, 20)
        assert len(rig.told) == 6
        assert len(await alarms.history(0, FOREVER)) == 1


async def test_a_flood_is_told_bit_by_bit_and_ends_with_the_latest_states(rig: Rig) -> None:
    names = [f"t{number}" for number in range(200)]
    device = plain_device(names, thresholds={name: Thresholds(high=80) for name in names})
    async with rig.open() as alarms:
        alarms.follow(plan_of(device))
        for value in (85, 20):
            alarms.look(scan_of(device, rig.clock.wall_ms(), [value] * 200))
        assert len(rig.told) == EVENTS_AT_ONCE
        for _ in range(20):
            rig.clock.advance(30)
            alarms.look(scan_of(device, rig.clock.wall_ms(), [85] + [20] * 199))
            alarms.look(scan_of(device, rig.clock.wall_ms(), [20] * 200))
        latest = {event["tag"]: event["state"] for event in rig.told}
        assert latest == dict.fromkeys(names, "left")


async def test_a_damaged_file_is_set_aside_and_alarms_go_on(rig: Rig) -> None:
    rig.folder.mkdir()
    (rig.folder / "alarms.db").write_bytes(b"not a database" * 1_000)
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85)
        assert len(await alarms.history(0, FOREVER)) == 1
    assert (rig.folder / "alarms.db.damaged-1").exists()


async def test_without_a_disk_alarms_are_raised_all_the_same(rig: Rig) -> None:
    rig.folder.write_text("a file where the folder should be")
    async with rig.open() as alarms:
        alarms.follow(plan_of(rig.device))
        rig.look(alarms, 85)
        assert [alarm.level for alarm in alarms.active()] == [Level.HIGH]
        assert "alarms_degraded" in rig.board.conditions
        assert rig.states == [("high", "raised")]
