"""Device events: every change of state, and few of a device that flaps."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from collector.status.board import Board, DeviceCondition
from collector.status.device_events import REST_MAX_S, DeviceEvents
from tests.doubles.clock import LoopClock

ONLINE, OFFLINE = DeviceCondition.ONLINE, DeviceCondition.OFFLINE


class Desk:
    def __init__(self) -> None:
        self.clock = LoopClock()
        self.board = Board(self.clock)
        self.told: list[tuple[float, str, str]] = []
        self.events = DeviceEvents(self.board, self.tell, self.clock)

    def tell(self, kind: str, fields: Mapping[str, object]) -> None:
        assert kind == "device"
        assert fields.keys() == {"device_id", "name", "state", "error"}
        self.told.append((self.clock.monotonic() - 1000, str(fields["device_id"]), str(fields["state"])))

    def device(self, condition: DeviceCondition, device_id: str = "1") -> None:
        self.board.device(device_id, "절단기", condition, None if condition is ONLINE else "no answer")


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    desk = Desk()
    running = asyncio.create_task(desk.events.run())
    yield desk
    running.cancel()


async def test_a_change_is_told_at_once(desk: Desk) -> None:
    desk.device(ONLINE)
    await asyncio.sleep(60)
    desk.device(OFFLINE)
    await asyncio.sleep(60)
    desk.device(ONLINE)
    assert desk.told == [(60.0, "1", "offline"), (120.0, "1", "online")]


async def test_after_a_start_only_trouble_is_news(desk: Desk) -> None:
    for number in range(1000):
        desk.device(ONLINE, str(number))
    desk.device(DeviceCondition.DISABLED, "off")
    desk.device(DeviceCondition.REFUSED, "bad")
    assert desk.told == [(0.0, "bad", "refused")]


async def test_a_device_that_comes_back_during_its_rest_is_told_of_after_it(desk: Desk) -> None:
    desk.device(ONLINE)
    await asyncio.sleep(1)
    desk.device(OFFLINE)
    await asyncio.sleep(3)
    desk.device(ONLINE)
    await asyncio.sleep(20)
    assert [(round(when), state) for when, _, state in desk.told] == [(1, "offline"), (11, "online")]


async def test_a_day_of_flapping_is_some_hundred_events_and_the_last_one_is_true(desk: Desk) -> None:
    for turn in range(24 * 3600 // 7):
        desk.device(OFFLINE if turn % 2 else ONLINE)
        await asyncio.sleep(7)
    assert 10 < len(desk.told) < 24 * 3600 / REST_MAX_S + 12
    desk.device(OFFLINE)
    await asyncio.sleep(2 * REST_MAX_S + 1)
    assert desk.told[-1][2] == "offline"
    before = len(desk.told)
    desk.device(ONLINE)
    assert len(desk.told) == before + 1


async def test_a_device_that_is_gone_is_forgotten(desk: Desk) -> None:
    desk.device(ONLINE)
    await asyncio.sleep(1)
    desk.device(OFFLINE)
    desk.device(ONLINE)
    del desk.board.devices["1"]
    await asyncio.sleep(30)
    assert [state for _, _, state in desk.told] == ["offline"]
