"""Commands from the broker to the PLC and back, through the real process."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.doubles.command_desk import verdict
from tests.doubles.hall import EDGE_ID, Hall
from tests.doubles.write_lines import Line, ModbusLine, line_of

READS = {1, 2, 3, 4}
WRITE = {"command": "write_tag", "params": {"device_id": "1", "tag": "setpoint", "value": 42.5}}


async def answer_to(hall: Hall, command_id: str, command: Mapping[str, object]) -> dict[str, Any]:
    """Send a command and wait for what it is answered."""
    body = json.dumps({"command_id": command_id, **command}).encode()
    assert hall.listener.publish(f"vexplor/devices/{EDGE_ID}/commands", body)

    def answers() -> list[dict[str, Any]]:
        return [answer for answer in hall.messages("responses") if answer["command_id"] == command_id]

    await hall.until(answers, what=f"an answer to {command_id}")
    return answers()[0]


async def started(hall: Hall, line: Line) -> None:
    """Until the collector publishes what it reads of the line."""
    hall.configure(line.device())
    hall.collector.start()
    await hall.until(lambda: hall.values("setpoint"), what="data")


async def test_s6_s16_with_writes_off_no_write_function_code_leaves_the_gateway(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall, line_of("modbus_tcp") as line:
        await started(hall, line)
        assert verdict(await answer_to(hall, "c-1", WRITE)) == ("rejected", "writes_disabled")
        many = {"command": "write_tags", "params": {"device_id": "1", "values": {"setpoint": 1, "clamped": 1}}}
        assert verdict(await answer_to(hall, "c-2", many)) == ("rejected", "writes_disabled")
        assert isinstance(line, ModbusLine)
        assert set(line.plc.record.by_function) <= READS


async def test_a_write_reaches_the_plc_once_and_a_pause_outlives_the_process(tmp_path: Path) -> None:
    allowed = tmp_path / "writable.txt"
    allowed.write_text("# 프레스만\n프레스/set*\n", "utf-8")
    variables = {"WRITES_ENABLED": "yes", "WRITE_ALLOW_FILE": allowed}
    async with Hall(tmp_path, **variables) as hall, line_of("modbus_tcp") as line:
        await started(hall, line)
        answer = await answer_to(hall, "c-1", WRITE)
        assert (answer["status"], answer["result"]) == ("success", {"setpoint": {"value": 42.5, "raw": 425}})
        assert await answer_to(hall, "c-1", WRITE) == answer
        not_allowed = {"command": "write_tag", "params": {"device_id": "1", "tag": "clamped", "value": 1}}
        assert verdict(await answer_to(hall, "c-2", not_allowed)) == ("rejected", "not_allowed")
        assert (line.writes, await line.word(0)) == (1, 425)
        await hall.until(lambda: hall.values("setpoint")[-1] == 42.5, what="the new value")

        paused = await answer_to(hall, "c-3", {"command": "pause_device", "params": {"device_id": "1"}})
        assert paused["result"] == {"device_id": "1", "state": "paused"}
        await hall.collector.stop()
        hall.heard.clear()
        subscriptions = hall.broker.log.count("/commands (QoS 1)")
        hall.collector.start()
        await hall.until(lambda: hall.broker.log.count("/commands (QoS 1)") > subscriptions, what="a subscription")
        status = await answer_to_status(hall)
        assert [device["state"] for device in status["devices"]["all"]] == ["paused"]
        assert hall.values("setpoint") == []
        assert isinstance(line, ModbusLine)
        assert line.plc.open_connections == 0


async def answer_to_status(hall: Hall) -> dict[str, Any]:
    """The status in full, once the collector listens."""
    await hall.until(lambda: any(each["status"] == "online" for each in hall.messages("status")), what="a heartbeat")
    answer = await answer_to(hall, "c-4", {"command": "get_status"})
    result: dict[str, Any] = answer["result"]
    return result
