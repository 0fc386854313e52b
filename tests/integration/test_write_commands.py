"""Writes over real lanes and drivers to four simulated PLCs, each of which counts what was written to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from collector.clock import iso_utc
from collector.commands.pace import BURST
from collector.status.board import DeviceCondition
from tests.doubles.command_desk import CommandDesk, message, verdict
from tests.doubles.write_lines import PROTOCOLS, Line, line_of

REFUSED: list[tuple[dict[str, object], str]] = [
    ({"tag": "nobody", "value": 1}, "unknown_tag"),
    ({"tag": "fixed", "value": 1}, "not_writable"),
    ({"tag": "setpoint", "value": "42"}, "wrong_type"),
    ({"tag": "setpoint", "value": True}, "wrong_type"),
    ({"tag": "setpoint", "value": [1, 2]}, "wrong_type"),
    ({"tag": "setpoint", "value": -0.1}, "out_of_range"),
    ({"tag": "setpoint", "value": 100.01}, "out_of_range"),
    ({"tag": "setpoint", "value": 71}, "out_of_range"),
    ({"tag": "clamped", "value": 65_536}, "out_of_range"),
    ({"tag": "clamped", "value": -1}, "out_of_range"),
    ({"tag": "clamped", "value": 10**30}, "out_of_range"),
    ({"tag": "clamped"}, "invalid_command"),
    ({"value": 1}, "invalid_command"),
    ({"tag": "clamped", "value": {"a": 1}}, "invalid_command"),
]


pytestmark = pytest.mark.asyncio(loop_scope="module")  # an OPC-UA server takes its time to start


@pytest_asyncio.fixture(params=PROTOCOLS, scope="module", loop_scope="module")
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    async with line_of(request.param) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="module")
async def desk(tmp_path: Path, line: Line) -> AsyncIterator[CommandDesk]:
    line.die(dead=False)
    async with CommandDesk(tmp_path) as desk:
        desk.configure(line.device())
        await desk.online()
        if await line.word(0) != 200:
            assert (await desk.write("setpoint", 20))["status"] == "success"
            desk.audit.entries.clear()
        line.forgotten += line.writes
        yield desk


async def test_w5_s7_what_may_not_be_written_is_refused_and_nothing_leaves(desk: CommandDesk, line: Line) -> None:
    for params, code in REFUSED:
        answer = await desk.send("write_tag", {"device_id": "1", **params})
        assert verdict(answer) == ("rejected", code), (params, answer)
        assert message(answer) or code == "invalid_command"
    unknown = await desk.send("write_tag", {"device_id": "9", "tag": "setpoint", "value": 1})
    assert verdict(unknown) == ("rejected", "unknown_device")
    assert (line.writes, await line.word(0), desk.audit.entries) == (0, 200, [])

    good = await desk.write("setpoint", 42.55)  # 425.5 raw: the tie goes to the even one
    assert (good["status"], good["result"]) == ("success", {"setpoint": {"value": 42.6, "raw": 426}})
    assert (line.writes, await line.word(0)) == (1, 426)
    before, after = desk.audit.entries
    assert before == {
        "stage": "intent", "command_id": good["command_id"], "command": "write_tag", "device_id": "1",
        "device": "프레스", "tag": "setpoint", "old": 20.0, "old_raw": 200, "new": 42.55,
    }  # fmt: skip
    assert after == {
        **before, "stage": "result", "status": "success", "code": None, "read_back": 42.6, "read_back_raw": 426,
    }  # fmt: skip


async def test_w8_a_value_that_the_plc_does_not_take_over_is_a_mismatch_that_names_both(
    desk: CommandDesk, line: Line
) -> None:
    answer = await desk.send("write_tags", {"device_id": 1, "values": {"setpoint": 30, "clamped": 800, "fixed": 1}})
    assert (verdict(answer), line.writes) == (("rejected", "not_writable"), 0)

    answer = await desk.send("write_tags", {"device_id": 1, "values": {"setpoint": 30, "clamped": 800}})
    assert verdict(answer) == ("error", "verify_mismatch")
    assert "800 was written" in message(answer)
    assert "holds 500 (raw 500)" in message(answer)
    assert answer["result"] == {"setpoint": {"value": 30.0, "raw": 300}, "clamped": {"value": 500, "raw": 500}}
    assert line.writes == 2

    stopped = await desk.send("write_tags", {"device_id": 1, "values": {"clamped": 900, "setpoint": 40}})
    assert verdict(stopped) == ("error", "verify_mismatch")
    assert "not tried: setpoint" in message(stopped)
    assert (line.writes, await line.word(0)) == (3, 300)


async def test_w6_a_device_that_is_away_is_never_written_to_afterwards(desk: CommandDesk, line: Line) -> None:
    line.die(dead=True)
    await desk.until("1", DeviceCondition.OFFLINE)
    began = time.monotonic()
    for _ in range(3):
        assert verdict(await desk.write("setpoint", 30)) == ("error", "device_offline")
    assert time.monotonic() - began < 1.0
    line.die(dead=False)
    await desk.polled()
    assert (line.writes, await line.word(0)) == (0, 200)
    assert (await desk.write("setpoint", 30))["status"] == "success"


async def test_w6_a_write_that_expires_while_its_device_hangs_is_never_carried_out(
    desk: CommandDesk, line: Line
) -> None:
    line.fall_silent(silent=True)
    await asyncio.sleep(0.1)  # a poll hangs
    soon = iso_utc(desk.clock.wall_ms() + 100)
    answer = await desk.write("setpoint", 30, expires_at=soon)
    assert verdict(answer) in (("expired", "expired"), ("error", "device_offline"))
    line.fall_silent(silent=False)
    await desk.polled()
    assert (line.writes, await line.word(0)) == (0, 200)


async def test_w7_whether_a_write_was_carried_out_that_is_not_answered_is_not_known(
    desk: CommandDesk, line: Line
) -> None:
    desk.audit.on_record = lambda: line.fall_silent(silent=True)
    answer = await desk.send("write_tags", {"device_id": "1", "values": {"clamped": 5, "setpoint": 30}})
    line.fall_silent(silent=False)
    assert verdict(answer) == ("error", "outcome_unknown")
    assert "not tried: setpoint" in message(answer)
    assert answer["result"] == {}
    assert [each["stage"] for each in desk.audit.entries] == ["intent", "result"]
    desk.audit.on_record = None
    await desk.polled()
    assert line.writes <= 1  # an OPC-UA server is asked for the type first, and hangs at that
    assert await line.word(0) == 200


async def test_s6_with_writes_off_nothing_leaves_whatever_the_configuration_says(tmp_path: Path, line: Line) -> None:
    line.die(dead=False)
    line.forgotten += line.writes
    async with CommandDesk(tmp_path, writes=False) as desk:
        desk.configure(line.device())
        await desk.online()
        assert verdict(await desk.write("setpoint", 30)) == ("rejected", "writes_disabled")
        values = {"setpoint": 30, "clamped": 1}
        many = await desk.send("write_tags", {"device_id": "1", "values": values})
        assert verdict(many) == ("rejected", "writes_disabled")
    assert line.writes == 0


async def test_w5_more_writes_than_a_device_may_have_are_refused(desk: CommandDesk, line: Line) -> None:
    desk.pace.take("1", BURST)
    assert verdict(await desk.write("setpoint", 30)) == ("rejected", "busy")
    assert line.writes == 0


async def test_a_reload_in_the_middle_of_a_command_ends_it_before_its_next_write(desk: CommandDesk, line: Line) -> None:
    changed = {**line.device(), "interval_ms": 60}
    again = {**line.device(), "interval_ms": 70}
    desk.audit.on_record = lambda: desk.configure(changed)
    values = {"clamped": 5, "setpoint": 30}
    answer = await desk.send("write_tags", {"device_id": "1", "values": values})
    assert (verdict(answer), line.writes, len(desk.audit.entries)) == (("error", "device_offline"), 0, 1)

    await desk.polled()
    desk.audit.on_record = lambda: desk.configure(again) if len(desk.audit.entries) == 3 else None
    answer = await desk.send("write_tags", {"device_id": "1", "values": values})
    assert (verdict(answer), line.writes, len(desk.audit.entries)) == (("error", "device_offline"), 1, 3)
    assert answer["result"] == {"clamped": {"value": 5, "raw": 5}}


async def test_c3_s10_no_write_while_the_clock_is_in_doubt_or_no_record_can_be_kept(
    desk: CommandDesk, line: Line
) -> None:
    desk.clock_in_doubt = True
    assert verdict(await desk.write("setpoint", 30)) == ("rejected", "clock_unsynced")
    desk.clock_in_doubt = False
    desk.audit.full = True
    refused = await desk.write("setpoint", 30)
    assert (verdict(refused), line.writes) == (("error", "internal"), 0)
    assert "no space left" in message(refused)
    assert (await desk.send("read_tags", {"device_id": "1", "tags": ["setpoint"]}))["status"] == "success"


async def test_tags_are_read_with_their_raw_values(desk: CommandDesk) -> None:
    answer = await desk.send("read_tags", {"device_id": "1", "tags": ["setpoint", "fixed"]})
    assert answer["result"] == {
        "setpoint": {"value": 20.0, "raw": 200, "quality": "good"},
        "fixed": {"value": 7, "raw": 7, "quality": "good"},
    }
    assert verdict(await desk.send("read_tags", {"device_id": "1", "tags": ["nobody"]})) == ("rejected", "unknown_tag")


async def test_a_connection_is_tried_with_a_question_also_while_the_device_is_away(
    desk: CommandDesk, line: Line
) -> None:
    answer = await desk.send("test_connection", {"device_id": "1"})
    result = answer["result"]
    assert isinstance(result, dict)
    assert result["reachable"] is True
    assert 0 < result["round_trip_ms"] < 500
    line.die(dead=True)
    await desk.until("1", DeviceCondition.OFFLINE)
    answer = await desk.send("test_connection", {"device_id": "1"})
    assert answer["status"] == "success"
    result = answer["result"]
    assert isinstance(result, dict)
    assert (result["reachable"], bool(result["error"])) == (False, True)


async def test_a_paused_device_has_no_connection_and_takes_no_command(desk: CommandDesk, tmp_path: Path) -> None:
    answer = await desk.send("pause_device", {"device_id": "1"})
    assert answer["result"] == {"device_id": "1", "state": "paused"}
    assert verdict(await desk.write("setpoint", 30)) == ("error", "device_offline")
    delivered = len(desk.scans)
    await asyncio.sleep(0.15)
    assert len(desk.scans) <= delivered + 1
    answer = await desk.send("resume_device", {"device_id": "1"})
    assert answer["status"] == "success"
    await desk.online()
