"""Letters: carried out between two polls, in time or not at all, and answered whatever happens."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from collector.polling.desk import Desk
from collector.polling.errors import CutShort, DeviceAway, DeviceUnknown, MailboxFull, NotCarriedOut, WaitedTooLong
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.status.board import Board, DeviceCondition
from protocols.errors import NoAnswer, SessionLost
from tests.doubles.clock import LoopClock
from tests.doubles.driver import ScriptedDriver, ScriptedRequest
from tests.doubles.plans import device_plan, plan_of


class Hall:
    """A supervisor over scripted devices."""

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.board = Board(self.clock)
        self.driver = ScriptedDriver()
        self.scans: list[Scan] = []
        self.begun: list[float] = []
        self.supervisor = Supervisor(
            clock=self.clock, board=self.board, deliver=self.scans.append, driver_of=lambda _: self.driver.erased
        )

    async def errand(self, desk: Desk) -> float:
        """Take a tenth of a second; returns when it was begun."""
        began = self.clock.monotonic()
        self.begun.append(began)
        await asyncio.sleep(0.1)
        return began

    async def send(self, device_id: str = "1", *, within_s: float = 30.0, insistent: bool = False) -> float:
        """Have the errand carried out at the device."""
        station = self.supervisor.station(device_id)
        return await station.carry_out(self.errand, self.clock.monotonic() + within_s, insistent=insistent)

    def post(self, device_id: str = "1", *, within_s: float = 30.0) -> asyncio.Task[float]:
        """The same, without waiting."""
        return asyncio.create_task(self.send(device_id, within_s=within_s))


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    async with hall.supervisor:
        hall.supervisor.apply(plan_of(device_plan(hall.driver, [1])))
        await asyncio.sleep(0.5)
        yield hall


async def test_a_letter_is_carried_out_at_once_between_two_polls(hall: Hall) -> None:
    sent = hall.clock.monotonic()
    assert await hall.send() == sent
    assert hall.driver.device("plc").most_sessions == 1


async def test_a_letter_waits_for_the_read_under_way_and_goes_before_the_next_poll(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.answer_s = 1.3
    await asyncio.sleep(0.7)  # the poll of second 1 is under way until 2.3, when that of second 2 is overdue
    assert round(await hall.send() - device.read_times[0], 3) == 2.3
    await asyncio.sleep(1)
    assert round(device.read_times[-1] - device.read_times[0], 3) == 2.4


async def test_w10_letters_hold_up_a_poll_by_one_letter_at_most(hall: Hall) -> None:
    device = hall.driver.device("plc")
    letters = [hall.post() for _ in range(100)]
    await asyncio.sleep(0)
    with pytest.raises(MailboxFull):
        await hall.send()
    await asyncio.gather(*letters)
    lateness = [round(time - device.read_times[0]) - (time - device.read_times[0]) for time in device.read_times]
    assert len(device.read_times) == 11
    assert max(map(abs, lateness)) <= 0.1 + 1e-9


async def test_w6_a_letter_whose_time_is_over_is_answered_then_and_never_carried_out(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.answer_s = 2.5
    await asyncio.sleep(0.7)
    sent = hall.clock.monotonic()
    with pytest.raises(WaitedTooLong):
        await hall.send(within_s=1.0)
    assert round(hall.clock.monotonic() - sent, 3) == 1.0
    device.answer_s = 0
    await asyncio.sleep(10)
    assert hall.begun == []
    with pytest.raises(WaitedTooLong):
        await hall.send(within_s=0)


async def test_w6_a_device_without_a_session_is_away_at_once(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.break_reads, device.refuse_connections = SessionLost("plc closed the connection"), True
    await asyncio.sleep(2)
    sent = hall.clock.monotonic()
    with pytest.raises(DeviceAway, match="refused the connection"):
        await hall.send()
    assert hall.clock.monotonic() == sent
    device.break_reads, device.refuse_connections = None, False
    await asyncio.sleep(40)
    assert hall.begun == []
    assert await hall.send()


async def test_letters_that_wait_when_the_session_ends_are_answered_at_once(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.answer_s, device.break_reads = 0.5, SessionLost("plc closed the connection")
    await asyncio.sleep(0.6)
    letters = [hall.post() for _ in range(3)]
    ended = await asyncio.gather(*letters, return_exceptions=True)
    assert [type(each) for each in ended] == [DeviceAway] * 3
    assert hall.begun == []


async def test_w6_who_asks_while_a_connection_is_tried_or_waits_when_it_breaks_is_answered_at_once(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.answer_s, device.connect_s, device.break_reads = 1.3, 3.0, SessionLost("plc closed the connection")
    await asyncio.sleep(0.6)  # the read of second 1 is under way until 2.3; the next one is overdue then, and connects
    ended = await asyncio.gather(*[hall.post() for _ in range(3)], return_exceptions=True)
    assert [type(each) for each in ended] == [DeviceAway] * 3
    assert round(hall.clock.monotonic() - device.read_times[0], 3) == 2.3
    await asyncio.sleep(1)
    sent = hall.clock.monotonic()
    assert device.connects == 2
    with pytest.raises(DeviceAway):
        await hall.send()
    assert hall.clock.monotonic() == sent


async def test_an_errand_that_takes_longer_than_its_deadline_is_not_answered_before_its_end(hall: Hall) -> None:
    sent = hall.clock.monotonic()
    assert await hall.send(within_s=0.05) == sent
    assert round(hall.clock.monotonic() - sent, 3) == 0.1


async def test_an_insistent_letter_connects_and_lets_polling_go_on(hall: Hall) -> None:
    device = hall.driver.device("plc")
    device.break_reads, device.refuse_connections = SessionLost("gone"), True
    await asyncio.sleep(60)
    device.break_reads, device.refuse_connections = None, False
    sent = hall.clock.monotonic()
    await hall.send(insistent=True)
    await asyncio.sleep(1.1)
    assert device.read_times[-1] - sent <= 1.1
    assert hall.board.devices["1"].condition is DeviceCondition.ONLINE


async def test_a_session_that_breaks_in_a_letter_is_replaced(hall: Hall) -> None:
    async def break_it(desk: Desk) -> None:
        async with desk.asking("a write"):
            raise SessionLost("plc closed the connection")

    station = hall.supervisor.station("1")
    with pytest.raises(SessionLost):
        await station.carry_out(break_it, hall.clock.monotonic() + 30)
    with pytest.raises(DeviceAway):
        await hall.send()
    await asyncio.sleep(1)
    device = hall.driver.device("plc")
    assert (device.connects, device.most_sessions, device.sessions) == (2, 1, 1)


async def test_an_errand_that_hangs_is_cut_off_after_three_timeouts(hall: Hall) -> None:
    async def hang(desk: Desk) -> None:
        async with desk.asking("a write"):
            await asyncio.sleep(3600)

    sent = hall.clock.monotonic()
    with pytest.raises(SessionLost, match="hung at a write for 9 s"):
        await hall.supervisor.station("1").carry_out(hang, hall.clock.monotonic() + 30)
    assert round(hall.clock.monotonic() - sent, 3) == 9.0


async def test_an_errands_bug_costs_the_errand(hall: Hall) -> None:
    async def crash(desk: Desk) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await hall.supervisor.station("1").carry_out(crash, hall.clock.monotonic() + 30)
    assert await hall.send()
    assert hall.driver.device("plc").connects == 1


@pytest.mark.parametrize("change", ["changed", "gone", "paused"])
async def test_letters_that_wait_at_a_reload_are_answered_and_not_carried_out(hall: Hall, change: str) -> None:
    hall.driver.device("plc").answer_s = 0.4
    await asyncio.sleep(0.6)
    letter = hall.post()
    await asyncio.sleep(0)
    if change == "changed":
        hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2])))
    elif change == "gone":
        hall.supervisor.apply(plan_of())
    else:
        hall.supervisor.pause(frozenset({"1"}))
    with pytest.raises(DeviceAway, match="configuration changed"):
        await letter
    await asyncio.sleep(5)
    assert hall.begun == []


async def test_an_errand_that_has_begun_may_begin_nothing_more_after_a_reload_or_its_deadline(hall: Hall) -> None:
    async def two_steps(desk: Desk) -> None:
        desk.check()
        await asyncio.sleep(0.2)
        desk.check()

    station = hall.supervisor.station("1")
    with pytest.raises(WaitedTooLong):
        await station.carry_out(two_steps, hall.clock.monotonic() + 0.1)
    letter = asyncio.ensure_future(station.carry_out(two_steps, hall.clock.monotonic() + 30))
    await asyncio.sleep(0.1)
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2])))
    with pytest.raises(DeviceAway, match="configuration changed"):
        await letter


async def test_a_letter_that_nobody_waits_for_any_more_is_not_carried_out(hall: Hall) -> None:
    hall.driver.device("plc").answer_s = 0.4
    await asyncio.sleep(0.6)
    letter = hall.post()
    await asyncio.sleep(0)
    letter.cancel()
    await asyncio.sleep(5)
    assert hall.begun == []


async def test_a_lane_that_is_stopped_says_so_to_whom_it_serves(hall: Hall) -> None:
    letter = hall.post()
    await asyncio.sleep(0.05)
    await hall.supervisor.__aexit__(None, None, None)
    with pytest.raises(CutShort):
        await letter


async def test_a_silent_unit_on_a_shared_link_is_away_and_the_others_are_not(hall: Hall) -> None:
    devices = [device_plan(hall.driver, [1], device_id=str(unit), unit=unit, host="bus") for unit in (1, 2)]
    hall.supervisor.apply(plan_of(*devices))
    hall.driver.device("bus").silent_units[2] = NoAnswer("unit 2 did not answer")
    await asyncio.sleep(10)
    with pytest.raises(DeviceAway, match="unit 2"):
        await hall.send("2")
    assert await hall.send("1")


async def test_letters_for_a_unit_that_falls_silent_do_not_wait_for_the_others_polls(hall: Hall) -> None:
    devices = [device_plan(hall.driver, [1], device_id=str(unit), unit=unit, host="bus") for unit in (1, 2)]
    hall.supervisor.apply(plan_of(*devices))
    await asyncio.sleep(1.9)
    bus = hall.driver.device("bus")
    bus.answer_s, bus.silent_units[2] = 0.3, NoAnswer("unit 2 did not answer")
    await asyncio.sleep(1)
    began = [hall.post("2") for _ in range(3)]
    answered: list[float] = []
    for letter in began:
        letter.add_done_callback(lambda _: answered.append(hall.clock.monotonic()))
    await asyncio.gather(*began, return_exceptions=True)
    assert len(set(answered)) == 1


async def test_a_write_without_an_answer_ends_a_shared_link_so_that_it_can_not_arrive_late(hall: Hall) -> None:
    devices = [device_plan(hall.driver, [1], device_id=str(unit), unit=unit, host="bus") for unit in (1, 2)]
    hall.supervisor.apply(plan_of(*devices))
    await asyncio.sleep(2)
    bus = hall.driver.device("bus")
    bus.break_writes = NoAnswer("unit 2 did not answer the write")

    async def write(desk: Desk) -> None:
        await desk.write(ScriptedRequest(2, 1, 1, (), ()))

    with pytest.raises(NoAnswer):
        await hall.supervisor.station("2").carry_out(write, hall.clock.monotonic() + 30)
    await asyncio.sleep(2)
    assert (bus.connects, bus.sessions, bus.most_sessions) == (2, 1, 1)
    assert hall.board.devices["1"].condition is DeviceCondition.ONLINE


async def test_who_is_not_polled_is_named(hall: Hall) -> None:
    with pytest.raises(DeviceUnknown):
        await hall.send("7")
    hall.supervisor.pause(frozenset({"1"}))
    with pytest.raises(NotCarriedOut, match="paused"):
        await hall.send()


async def test_a_paused_device_has_no_session_until_it_is_resumed(hall: Hall) -> None:
    device = hall.driver.device("plc")
    other = device_plan(hall.driver, [1], device_id="2", host="other")
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1]), other))
    await asyncio.sleep(2)
    hall.supervisor.pause(frozenset({"1"}))
    await asyncio.sleep(5)
    reads = len(device.reads)
    assert (device.sessions, hall.board.devices["1"].condition) == (0, DeviceCondition.PAUSED)
    hall.supervisor.apply(plan_of(device_plan(hall.driver, [1, 2]), other))  # a reload does not resume it
    await asyncio.sleep(5)
    assert (len(device.reads), hall.board.devices["1"].condition) == (reads, DeviceCondition.PAUSED)
    hall.supervisor.pause(frozenset())
    await asyncio.sleep(2)
    assert (device.sessions, hall.board.devices["1"].condition) == (1, DeviceCondition.ONLINE)
    assert hall.driver.device("other").connects == 1
