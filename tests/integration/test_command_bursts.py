"""Many commands at once, over real lanes: so many wait for a device, the rest is refused, the data goes on."""

import asyncio
import itertools
import statistics
from collections.abc import Sized
from pathlib import Path

from simulators.modbus import ModbusPlc
from tests.doubles.command_desk import CommandDesk, verdict
from tests.doubles.hall import counting_layout, modbus_device
from tests.doubles.write_lines import line_of

BURST = 10_000


async def longest_stall_s(answers: Sized) -> float:
    """How long nothing else came to its turn until the burst was answered."""
    loop, longest_s = asyncio.get_running_loop(), 0.0
    while len(answers) < BURST:
        began = loop.time()
        await asyncio.sleep(0.001)
        longest_s = max(longest_s, loop.time() - began - 0.001)
    return longest_s


async def test_w10_s23_of_10_000_writes_at_once_100_wait_at_a_time_and_the_rest_is_busy(tmp_path: Path) -> None:
    async with line_of("modbus_tcp") as line, CommandDesk(tmp_path) as desk:
        # PLC and collector share this process: what stalls it for a second stalls both, and is no silence.
        desk.configure({**line.device(), "timeout_ms": 10_000})
        await desk.online()
        params = {"device_id": "1", "tag": "clamped"}
        ids = [desk.post("write_tag", {**params, "value": number % 500}) for number in range(BURST)]
        watching = asyncio.create_task(longest_stall_s(desk.answers))
        answers = [await desk.answer(each) for each in ids]
        assert await watching < 2  # tenths of a second on a machine of its own
        verdicts = [verdict(each) for each in answers]
        assert set(verdicts) == {("success", None), ("rejected", "busy")}
        assert verdicts[:100] == [("success", None)] * 100
        assert verdicts.count(("success", None)) == line.writes < BURST / 10


async def test_w10_a_burst_at_one_device_neither_slows_its_polls_nor_another_device(tmp_path: Path) -> None:
    async with (
        line_of("modbus_tcp") as line,
        ModbusPlc(counting_layout()) as other,
        CommandDesk(tmp_path) as desk,
    ):
        busy = {**line.device(), "id": "7", "interval_ms": 50}
        desk.configure(busy, modbus_device(other, "2", interval_ms=50))
        await asyncio.gather(desk.online("7"), desk.online("2"))
        other.record.reads.clear()
        params = {"device_id": "7", "tag": "clamped"}
        async with asyncio.timeout(30):
            for _ in range(4):
                ids = [desk.post("write_tag", {**params, "value": 5}) for _ in range(100)]
                answers = [await desk.answer(each) for each in ids]
                assert {verdict(each) for each in answers} == {("success", None)}
        arrivals = other.record.arrivals()
        assert len(arrivals) >= 3
        assert statistics.median(later - sooner for sooner, later in itertools.pairwise(arrivals)) < 0.075
        assert desk.board.devices["7"].failures == desk.board.devices["2"].failures == 0
        assert desk.board.devices["7"].missed <= 2


async def test_w10_a_device_that_hangs_holds_up_no_other(tmp_path: Path) -> None:
    async with line_of("modbus_tcp") as slow, line_of("s7") as quick, CommandDesk(tmp_path) as desk:
        desk.configure({**slow.device(), "id": "slow", "timeout_ms": 3000}, {**quick.device(), "id": "quick"})
        await asyncio.gather(desk.online("slow"), desk.online("quick"))
        slow.fall_silent(silent=True)
        hung = [desk.post("read_tags", {"device_id": "slow", "tags": ["fixed"]}) for _ in range(10)]
        async with asyncio.timeout(1):
            answer = await desk.send("write_tag", {"device_id": "quick", "tag": "clamped", "value": 5})
        assert verdict(answer) == ("success", None)
        assert not desk.answers.keys() & set(hung)


async def test_devices_that_were_paused_stay_so_over_a_restart(tmp_path: Path) -> None:
    async with line_of("modbus_tcp") as line:
        async with CommandDesk(tmp_path) as desk:
            desk.configure(line.device())
            await desk.online()
            assert (await desk.send("pause_device", {"device_id": "1"}))["status"] == "success"
            assert verdict(await desk.send("pause_device", {"device_id": "9"})) == ("rejected", "unknown_device")
        async with CommandDesk(tmp_path) as desk:
            desk.pauses.restore()
            desk.configure(line.device())
            assert desk.board.devices["1"].condition == "paused"
            answer = await desk.send("resume_device", {"device_id": "1"})
            assert answer["result"] == {"device_id": "1", "state": "offline"}
            await desk.online()
        async with CommandDesk(tmp_path) as desk:
            desk.pauses.restore()
            desk.configure(line.device())
            await desk.online()
