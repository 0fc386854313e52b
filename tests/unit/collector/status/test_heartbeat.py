"""The heartbeat: the given fields, those in trouble first, and small with a thousand devices."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from collector.status.board import Board, ConfigProblem, DeviceCondition
from collector.status.heartbeat import Heartbeat
from collector.status.machine import Machine
from fleet_client.status import heartbeat
from tests.doubles.clock import LoopClock


class Heart:
    def __init__(self, *, all_devices: bool = False) -> None:
        self.clock = LoopClock()
        self.board = Board(self.clock)
        self.sent: list[tuple[float, dict[str, Any]]] = []
        self.beat = Heartbeat(
            self.board,
            Machine(Path("/"), "10.1.2.3"),
            self._publish,
            clock=self.clock,
            company_code="SPIFOX",
            interval_s=30,
            all_devices=all_devices,
        )

    def _publish(self, payload: bytes) -> None:
        self.sent.append((self.clock.monotonic() - 1000.0, json.loads(payload)))


@pytest.fixture
async def heart() -> Heart:
    return Heart()


async def test_the_given_fields_are_there(heart: Heart) -> None:
    heart.beat.beat()
    [(_, status)] = heart.sent
    assert status["status"] == "online"
    assert status["ip_address"] == "10.1.2.3"
    for field in ("cpu_percent", "memory_percent", "disk_percent"):
        figure = status[field]
        assert isinstance(figure, float)
        assert 0 <= figure <= 100
    assert status["timestamp"] == "2026-04-17T08:00:00.000Z"
    assert status["company_code"] == "SPIFOX"


async def test_it_beats_at_its_interval_but_not_before_the_config_was_asked_for(heart: Heart) -> None:
    asked = asyncio.Event()
    task = asyncio.create_task(heart.beat.run(asked))
    await asyncio.sleep(50)
    assert heart.sent == []
    asked.set()
    await asyncio.sleep(95)
    assert [round(when) for when, _ in heart.sent] == [50, 80, 110, 140]
    task.cancel()


async def test_a_change_of_a_device_is_told_at_once_and_its_companions_with_it(heart: Heart) -> None:
    asked = asyncio.Event()
    asked.set()
    task = asyncio.create_task(heart.beat.run(asked))
    await asyncio.sleep(5)
    for number in range(10):
        heart.board.device(str(number), f"PLC {number}", DeviceCondition.OFFLINE, "no route")
    await asyncio.sleep(10)
    assert [round(when, 1) for when, _ in heart.sent] == [0.0, 6.0]
    task.cancel()


async def test_trouble_comes_first_and_a_thousand_devices_stay_small(heart: Heart) -> None:
    for number in range(1000):
        heart.board.device(str(number), f"CASE프레스_PLC_{number}", DeviceCondition.ONLINE)
    for number in range(20):
        heart.board.device(str(number), f"CASE프레스_PLC_{number}", DeviceCondition.OFFLINE, "no answer " * 40)
    heart.board.device("7", "CASE프레스_PLC_7", DeviceCondition.FAULTED, "internal error")
    heart.board.config.problems = tuple(ConfigProblem(f"devices[{n}]", "bad_host", "x" * 300) for n in range(50))
    heart.beat.beat()
    [(_, status)] = heart.sent
    assert (status["devices"]["total"], status["devices"]["online"]) == (1000, 980)
    assert [device["state"] for device in status["devices"]["trouble"]] == ["faulted", *["offline"] * 4]
    assert status["config_errors"]["count"] == 50
    assert len(status["config_errors"]["first"]) == 5
    assert len(json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode()) < 2048

    everything = json.loads(heartbeat(heart.beat.fields(all_devices=True)))
    assert len(everything["devices"]["all"]) == 1000


async def test_a_thousand_devices_of_which_some_are_in_trouble_take_a_kibibyte(heart: Heart) -> None:
    for number in range(1000):
        heart.board.device(str(number), f"CASE프레스_PLC_{number}", DeviceCondition.ONLINE)
    for number in (3, 500):
        heart.board.device(str(number), f"CASE프레스_PLC_{number}", DeviceCondition.OFFLINE, "no answer " * 40)
    heart.board.config.version, heart.board.config.edge_name = "2026-04-17T07:25:26.766Z", "스피폭스 엣지 #1"
    heart.board.config.problems = (ConfigProblem("devices[7].tags[3].scale", "out_of_range", "found 0, expected more"),)
    heart.beat.beat()
    [(_, status)] = heart.sent
    assert len(json.dumps(status, ensure_ascii=False, separators=(",", ":")).encode()) < 1300
    assert status["config_version"] == "2026-04-17T07:25:26.766Z"


async def test_the_full_heartbeat_lists_every_device_and_cuts_nothing() -> None:
    heart = Heart(all_devices=True)
    for number in range(1000):
        heart.board.device(str(number), "n" * 256, DeviceCondition.OFFLINE, "no answer " * 40)
    heart.beat.beat()
    [(_, status)] = heart.sent
    devices = status["devices"]
    assert len(devices["all"]) == 1000
    assert devices["all"][999]["error"] == "no answer " * 40
    assert devices["all"][999]["name"] == "n" * 256


async def test_conditions_are_told_with_their_first_moment(heart: Heart) -> None:
    heart.board.raise_condition("config_stale", "no answer")
    await asyncio.sleep(60)
    heart.board.raise_condition("config_stale", "still no answer")
    heart.beat.beat()
    assert heart.sent[0][1]["conditions"] == [
        {"code": "config_stale", "since": "2026-04-17T08:00:00.000Z", "detail": "still no answer"}
    ]


def test_a_data_folder_that_is_away_does_not_end_the_heartbeat(tmp_path: Path) -> None:
    figures = Machine(tmp_path / "gone" / "data", "10.1.2.3").figures()
    assert figures.disk_percent == Machine(tmp_path, "10.1.2.3").figures().disk_percent > 0


async def test_a_paused_device_is_told_after_those_in_worse_trouble(heart: Heart) -> None:
    heart.board.device("1", "held", DeviceCondition.PAUSED)
    heart.board.device("2", "away", DeviceCondition.OFFLINE, "no answer")
    devices = heart.beat.fields(all_devices=False).devices
    assert devices is not None
    assert [(each.id, each.state) for each in devices.trouble] == [("2", "offline"), ("1", "paused")]
