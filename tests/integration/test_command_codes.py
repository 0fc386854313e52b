"""Every code of an answer's error can be had, each under the status that the contract gives it."""

import asyncio
import itertools
from contextlib import suppress
from pathlib import Path

from collector.clock import iso_utc
from collector.commands.outcome import CommandFailed
from collector.commands.pace import BURST
from collector.status.board import DeviceCondition
from tests.doubles.command_desk import Answer, CommandDesk, verdict
from tests.doubles.write_lines import ModbusLine, line_of

REJECTED = (
    "writes_disabled", "not_writable", "not_allowed", "unknown_device", "unknown_tag", "wrong_type", "out_of_range",
    "bad_time", "retained", "id_conflict", "busy", "clock_unsynced", "unsupported", "invalid_command",
)  # fmt: skip
ERROR = ("device_offline", "device_error", "verify_mismatch", "outcome_unknown", "timeout", "internal")
CONTRACT = {("rejected", code) for code in REJECTED} | {("error", code) for code in ERROR} | {("expired", "expired")}


async def test_every_code_of_the_contract_is_answered_under_its_status(tmp_path: Path) -> None:
    allowed = tmp_path / "allowed.txt"
    allowed.write_text("1/setpoint\n1/fixed\n1/nobody\n1/clamped\n", "utf-8")
    async with line_of("modbus_tcp") as line:
        assert isinstance(line, ModbusLine)
        async with CommandDesk(tmp_path, writes=False) as desk:
            desk.configure(line.device())
            await desk.online()
            answers = [await desk.write("setpoint", 30)]
        async with CommandDesk(tmp_path, allow_file=allowed) as desk:
            desk.configure(line.device())
            await desk.online()
            answers += await refused(desk)
            assert line.writes == 0
            allowed.write_text("2/*\n", "utf-8")
            answers.append(await desk.write("setpoint", 30))
            allowed.write_text("1/*\n", "utf-8")
            answers += await tried(desk, line)
    assert {verdict(each) for each in answers} == CONTRACT


async def refused(desk: CommandDesk) -> list[Answer]:
    """What never reaches the device."""
    now_ms = desk.clock.wall_ms()
    answers = [
        await desk.write("fixed", 1),
        await desk.write("nobody", 1),
        await desk.write("setpoint", "30"),
        await desk.write("setpoint", 101),
        await desk.send("write_tag", {"device_id": "9", "tag": "setpoint", "value": 1}),
        await desk.send("write_tag", {"device_id": "1", "tag": "setpoint"}),
        await desk.send("fly", {}),
        await desk.send("browse", {"device_id": "1"}),
        await desk.write("setpoint", 30, timestamp=iso_utc(now_ms + 90_000)),
        await desk.write("setpoint", 30, timestamp=iso_utc(now_ms - 90_000)),
        await desk.write("setpoint", 30, expires_at=iso_utc(now_ms - 1)),
    ]
    desk.router.take(b'{"command_id": "c-kept", "command": "ping"}', retained=True)
    desk.router.take(b'{"command_id": "c-8", "command": "ping"}', retained=False)
    desk.answers.pop("c-8")
    answers += [await desk.answer("c-kept"), await desk.answer("c-8")]
    desk.clock_in_doubt = True
    answers.append(await desk.write("setpoint", 30))
    desk.clock_in_doubt = False
    return answers


async def tried(desk: CommandDesk, line: ModbusLine) -> list[Answer]:
    """What the device, or the disk, has a say in."""
    answers = [await desk.write("clamped", 800)]
    desk.audit.full = True
    answers.append(await desk.write("setpoint", 30))
    desk.audit.full = False
    line.plc.faults.exception = 4
    answers.append(await desk.write("setpoint", 30))
    line.plc.faults.exception = None
    await desk.polled()
    answers.append(await asked_in_silence(desk, line))
    await desk.polled()
    desk.audit.on_record = lambda: line.fall_silent(silent=True)
    answers.append(await desk.write("setpoint", 30))
    desk.audit.on_record = None
    line.fall_silent(silent=False)
    await desk.polled()
    while verdict(answers[-1]) != ("rejected", "busy"):
        with suppress(CommandFailed):
            desk.pace.take("1", BURST // 10)
            continue
        answers.append(await desk.write("clamped", 1))
    line.die(dead=True)
    await desk.until("1", DeviceCondition.OFFLINE)
    answers.append(await desk.write("setpoint", 30))
    return answers


async def asked_in_silence(desk: CommandDesk, line: ModbusLine) -> Answer:
    """The answer to a question that the device leaves unanswered; a poll may have been first, and lost the session."""
    for _ in itertools.count():
        line.fall_silent(silent=True)
        answer = await desk.send("read_tags", {"device_id": "1", "tags": ["setpoint"]})
        line.fall_silent(silent=False)
        if verdict(answer) != ("error", "device_offline"):
            break
        await desk.polled()
        await asyncio.sleep(0.01)
    return answer
