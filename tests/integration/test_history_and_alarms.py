"""History and alarms in the real process: what goes out, what outlives it, and what it costs to have it off."""

import subprocess
import sys
from pathlib import Path
from typing import cast

from collector.history.history import History
from collector.status.board import Board
from tests.doubles.clock import FakeClock
from tests.doubles.hall import Hall, modbus_device

OFF = """
import asyncio, sys
from collector.app import collecting
from collector.settings import load_settings

async def main():
    async with collecting(load_settings(None, dict(arg.split("=", 1) for arg in sys.argv[1:]))):
        return {task.get_name() for task in asyncio.all_tasks()}

tasks = asyncio.run(main())
assert "heartbeat" in tasks, tasks
print([name for name in ("page", "history") if name in tasks])
wanted = ("collector.history", "collector.storage.history", "fastapi", "starlette", "uvicorn", "prometheus_client")
print([name for name in sys.modules if name.startswith(wanted)])
"""


def watched(plc: object, **thresholds: float) -> dict[str, object]:
    """The device with its first tag watched."""
    device = modbus_device(plc)  # type: ignore[arg-type]
    tags = cast(list[dict[str, object]], device["tags"])
    tags[0]["thresholds"] = thresholds
    return device


def alarms(hall: Hall) -> list[dict[str, object]]:
    return [event for event in hall.messages("events") if event["type"] == "alarm"]


async def test_an_alarm_outlives_the_process_and_what_was_recorded_too(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(watched(plc, high=5, high_high=1_000_000))
        hall.collector.start()
        await hall.until(lambda: alarms(hall), what="the alarm")
        [raised] = alarms(hall)
        assert (raised["type"], raised["level"], raised["state"]) == ("alarm", "high", "raised")
        assert (raised["device_id"], raised["tag"], raised["limit"]) == ("1", "r0", 5.0)
        await hall.until(lambda: len(hall.messages("data")) > 10, what="data")
        await hall.collector.stop()

        hall.collector.start()
        seen = len(hall.messages("data"))
        await hall.until(lambda: len(hall.messages("data")) > seen + 5, what="data after the restart")
        assert len(alarms(hall)) == 1, "an alarm that still holds is not raised again"
        hall.configure(watched(plc, high=1_000_000), version="2")
        await hall.until(lambda: alarms(hall)[1:], what="the alarm left")
        await hall.collector.stop()

        clock = FakeClock()
        folder = hall.collector.folder / "data" / "history"
        async with History.open(
            folder, limit_bytes=1 << 30, raw_hours=24, zone=None, clock=clock, board=Board(clock)
        ) as history:
            kept = await history.series("1", "r0", 0, 1 << 43, resolution_s=0)
        published = hall.values("r0")
        assert set(published) <= set(kept.first)


async def test_a_device_that_is_away_is_an_alarm(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: hall.messages("data"), what="data")
        await plc.__aexit__(None, None, None)
        await hall.until(lambda: alarms(hall), what="the alarm")
        [away] = alarms(hall)
        assert (away["level"], away["state"], away["device_id"]) == ("away", "raised", "1")
        assert "tag" not in away


def test_without_history_and_page_nothing_of_them_is_imported(tmp_path: Path) -> None:
    settings = (
        f"DATA_DIR={tmp_path}", "HISTORY_MAX_MB=0", "HTTP_PORT=0", "DEVICE_ID=edge-1",
        "EDGE_SERVER_URL=http://127.0.0.1:1", "MQTT_BROKER_URL=mqtt://127.0.0.1:1",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", OFF, *settings], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.splitlines()[-2:] == ["[]", "[]"]
    assert not (tmp_path / "history").exists()
