"""Commands in the worst moments, through the real process: kills, stops, an outage, a disk that is full.

``KILLS=200`` kills so often; by default four times.
"""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from collector.storage.audit_file import read_audit
from tests.doubles.command_desk import message, verdict
from tests.doubles.hall import EDGE_ID, Hall
from tests.doubles.write_lines import ModbusLine, line_of

KILLS = int(os.environ.get("KILLS", "4"))
SLOW_S = 0.25
SECRET, TOKEN = "비밀번호-77", "tk-4711"


@dataclass(slots=True)
class Site:
    """A hall with one PLC, and a collector that may write to it."""

    hall: Hall
    line: ModbusLine

    def post(self, command_id: str, command: str, **params: object) -> None:
        """Send without waiting."""
        body = json.dumps({"command_id": command_id, "command": command, "params": params}).encode()
        assert self.hall.listener.publish(f"vexplor/devices/{EDGE_ID}/commands", body)

    def write(self, command_id: str, value: float) -> None:
        """Have the setpoint written."""
        self.post(command_id, "write_tag", device_id="1", tag="setpoint", value=value)

    def answers(self, command_id: str) -> list[dict[str, Any]]:
        """All that came so far."""
        return [answer for answer in self.hall.messages("responses") if answer["command_id"] == command_id]

    async def answer(self, command_id: str, number: int = 1) -> dict[str, Any]:
        """Wait for the answer, or for the one with this number."""
        await self.hall.until(lambda: len(self.answers(command_id)) >= number, what=f"answer {number} to {command_id}")
        return self.answers(command_id)[number - 1]

    async def tell(self, command_id: str, command: str, **params: object) -> dict[str, Any]:
        """Send, and wait for the answer."""
        self.post(command_id, command, **params)
        return await self.answer(command_id)

    async def running(self) -> None:
        """Until a collector that was just started publishes, and so takes commands."""
        self.hall.heard.clear()
        await self.hall.until(lambda: self.hall.values("setpoint"), what="data")


@asynccontextmanager
async def site(folder: Path, **variables: object) -> AsyncIterator[Site]:
    """Everything runs."""
    async with Hall(folder, WRITES_ENABLED="yes", **variables) as hall, line_of("modbus_tcp") as line:
        assert isinstance(line, ModbusLine)
        hall.configure(line.device())
        hall.collector.start()
        here = Site(hall, line)
        await here.running()
        yield here


async def soon(figure: Callable[[], int], before: int) -> None:
    """Until it has grown, looking as often as the loop comes round."""
    async with asyncio.timeout(5):
        while figure() <= before:
            await asyncio.sleep(0)


@pytest.mark.timeout(60 + 10 * KILLS)
async def test_w7_a_kill_on_either_side_of_a_write_leaves_its_outcome_unknown_and_never_a_second_write(
    tmp_path: Path,
) -> None:
    journal = tmp_path / "data/commands/commands.db-wal"
    async with site(tmp_path) as here:

        def written() -> int:
            return here.line.writes

        def begun() -> int:
            return journal.stat().st_mtime_ns

        held = 200
        for number in range(KILLS):
            here.line.plc.faults.slow_s = SLOW_S  # every answer is held: the command is under way for two of them
            command_id, wanted, before = f"k-{number}", 201 + number % 200, written()
            noted = begun()
            here.write(command_id, wanted / 10)
            await (soon(written, before) if number % 2 else soon(begun, noted))
            if number % 2:
                held = wanted
            else:
                await asyncio.sleep(0.02)  # its last byte is on disk as well; the device's answer comes much later
            here.hall.collector.kill()
            here.line.plc.faults.slow_s = 0.0
            assert here.line.writes == before + number % 2
            assert here.answers(command_id) == []

            here.hall.collector.start()
            await here.running()
            here.write(command_id, wanted / 10)  # while it is looked after, and once more when it is answered
            answer = await here.answer(command_id)
            assert verdict(answer) == ("error", "outcome_unknown")
            assert answer["result"] == {"setpoint": {"value": held / 10, "raw": held, "quality": "good"}}
            here.write(command_id, wanted / 10)
            assert await here.answer(command_id, 2) == answer
            assert (here.line.writes, await here.line.word(0)) == (before + number % 2, held)


async def test_w7_a_stop_in_the_middle_of_a_write_lets_it_come_to_its_end(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.line.plc.faults.slow_s = SLOW_S
        here.write("c-1", 30)
        await soon(lambda: here.line.writes, 0)
        status, _ = await here.hall.collector.stop()
        assert status == 0
        answer = await here.answer("c-1")
        assert (verdict(answer), answer["result"]) == (("success", None), {"setpoint": {"value": 30.0, "raw": 300}})
        here.line.plc.faults.slow_s = 0.0
        here.hall.collector.start()
        await here.running()
        here.write("c-1", 30)
        assert await here.answer("c-1") == answer
        assert here.line.writes == 1


async def test_w9_an_answer_waits_until_the_broker_is_back(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.line.plc.faults.slow_s = SLOW_S
        here.write("c-1", 30)
        await soon(lambda: here.line.writes, 0)
        await here.hall.proxy.cut()
        here.line.plc.faults.slow_s = 0.0
        await here.hall.until(lambda: list(read_audit(tmp_path / "data/audit"))[-1]["stage"] == "command", what="end")
        assert here.answers("c-1") == []
        await here.hall.proxy.open()
        assert verdict(await here.answer("c-1")) == ("success", None)
        assert (here.line.writes, len(here.answers("c-1"))) == (1, 1)


async def test_w3_captured_commands_replayed_after_a_restart_are_answered_as_before_and_do_nothing(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as here:
        for number in range(5):
            here.write(f"c-{number}", 21 + number)
        first = [await here.answer(f"c-{number}") for number in range(5)]
        assert {verdict(each) for each in first} == {("success", None)}
        here.hall.collector.kill()
        here.hall.collector.start()
        await here.running()
        for number in range(5):
            here.write(f"c-{number}", 21 + number)
        assert [await here.answer(f"c-{number}") for number in range(5)] == first
        assert (here.line.writes, await here.line.word(0)) == (5, 250)


async def test_restart_is_answered_once_keeps_the_data_folder_and_is_no_unclean_stop(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        pid = here.hall.collector.pid
        begun = [body["meta"] for body in here.hall.messages("data")][-1]["epoch"]  # type: ignore[index]
        answer = await here.tell("r-1", "restart")
        assert (answer["status"], answer["result"]) == ("success", {"restarts_in_sec": 0.5})

        def epochs() -> set[object]:
            return {body["meta"]["epoch"] for body in here.hall.messages("data")}  # type: ignore[index]

        await here.hall.until(lambda: epochs() - {begun}, what="data of the next epoch")
        assert here.hall.collector.pid == pid
        assert (await here.tell("p-1", "ping"))["status"] == "success"
        here.post("r-1", "restart")
        assert await here.answer("r-1", 2) == answer
        await asyncio.sleep(0.7)  # a second restart would have begun by now
        assert verdict(await here.tell("p-2", "ping")) == ("success", None)
        assert len(epochs()) == 2
        assert [event["type"] for event in here.hall.messages("events") if event["type"] == "restart"] == []
        status, _ = await here.hall.collector.stop()
        assert status == 0


async def test_a_signal_to_end_wins_over_a_restart(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        here.line.plc.faults.slow_s = SLOW_S
        await here.tell("r-1", "restart")
        await asyncio.sleep(0.2)
        here.write("c-1", 30)  # under way when the restart begins, which waits for it
        await soon(lambda: here.line.writes, 0)
        status, _ = await here.hall.collector.stop()
        assert status == 0
        assert here.hall.collector.log.count("starting") == 1


async def test_the_log_can_be_had_and_its_level_set_and_it_holds_no_secret(tmp_path: Path) -> None:
    secrets = {"MQTT_USERNAME": "edge", "MQTT_PASSWORD": SECRET, "EDGE_API_TOKEN": TOKEN}
    async with site(tmp_path, LOG_LEVEL="INFO", **secrets) as here:
        logs = await here.tell("l-1", "get_logs", lines=1_000)
        assert any("connected to the broker" in line for line in logs["result"]["lines"])
        quiet = await here.tell("l-2", "set_log_level", level="error")
        assert quiet["result"] == {"level": "ERROR", "before": "INFO", "until": "the next restart"}
        said = here.hall.collector.log
        assert (await here.tell("p", "pause_device", device_id="1"))["result"]["state"] == "paused"
        assert here.hall.collector.log == said
        assert (await here.tell("l-3", "set_log_level", level="DEBUG"))["result"]["before"] == "ERROR"
        assert verdict(await here.tell("l-4", "set_log_level", level="loud")) == ("rejected", "invalid_command")
        for answer in (logs, await here.tell("l-5", "get_logs")):
            assert not re.findall(rf"{SECRET}|{TOKEN}", json.dumps(answer, ensure_ascii=False))
        await here.hall.proxy.cut()
        await here.hall.until(
            lambda: "no connection to the broker" in here.hall.collector.log, what="a line of the log"
        )
        assert not re.findall(rf"{SECRET}|{TOKEN}", here.hall.collector.log)


async def test_buffer_stats_add_up(tmp_path: Path) -> None:
    async with site(tmp_path) as here:
        result = (await here.tell("b-1", "buffer_stats"))["result"]
        assert result["recorded"] == result["acknowledged"] + result["messages"] + result["dropped"] > 0


def on_a_tiny_disk(command: tuple[str, ...]) -> tuple[str, ...]:
    """The command with its audit log on a file system of 16 KiB, in a mount namespace of its own."""
    mount = 'mkdir -p data/audit && mount -t tmpfs -o size=16k tmpfs data/audit && exec "$@"'
    return ("unshare", "-rm", "sh", "-c", mount, "sh", *command)


def can_mount() -> bool:
    """Whether this machine lets us have a mount namespace."""
    trial = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


async def test_s10_with_the_audit_logs_disk_full_writes_are_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    if not can_mount():
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no mount namespace for an unprivileged user here")
    async with Hall(tmp_path, WRITES_ENABLED="yes") as hall, line_of("modbus_tcp") as line:
        assert isinstance(line, ModbusLine)
        hall.collector.command = on_a_tiny_disk(hall.collector.command)
        hall.configure(line.device())
        hall.collector.start()
        here = Site(hall, line)
        await here.running()
        assert verdict(await fill(here)) == ("error", "internal")
        done = line.writes
        refused = await here.tell("c-full", "write_tag", device_id="1", tag="setpoint", value=31)
        assert verdict(refused) == ("error", "internal")
        assert "No space left on device" in message(refused)
        assert line.writes == done
        read = await here.tell("c-read", "read_tags", device_id="1", tags=["setpoint"])
        assert read["status"] == "success"
        polled = len(hall.values("setpoint"))
        await hall.until(lambda: len(hall.values("setpoint")) > polled + 3, what="further polls")


async def fill(here: Site) -> dict[str, Any]:
    """Write until that is refused; returns the refusal."""
    for number in range(200):
        answer = await here.tell(f"f-{number}", "write_tag", device_id="1", tag="setpoint", value=20 + number / 10)
        if answer["status"] != "success":
            return answer
    raise AssertionError("16 KiB took 200 writes")
