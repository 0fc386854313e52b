"""The real process between real sockets: what a user is promised of the main job."""

import asyncio
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import orjson
import pytest

from simulators.broker import EmbeddedBroker
from simulators.modbus import Cell, Table, Unit
from simulators.mqtt import MqttListener
from simulators.signals import Constant
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.hall import EDGE_ID, Hall, modbus_device

CONTRACT = Path(__file__).parents[1] / "cases" / "as_the_contract_shows_it" / "document.json"


def obj(value: object) -> dict[str, Any]:
    return cast(dict[str, Any], value)


async def test_the_contracts_document_gives_its_value_within_two_intervals(tmp_path: Path) -> None:
    text = CONTRACT.read_text(encoding="utf-8")
    async with Hall(tmp_path, DEVICE_ID="edge-spifox-001") as hall:
        plc = await hall.plc({1: Unit(cells=(Cell(Table.HOLDING, 0, Constant(254)),))})
        text = text.replace("192.168.1.10", plc.host).replace("2004", str(plc.port))
        hall.fleet.documents.put(orjson.loads(text))
        hall.collector.start()
        topic = "vexplor/devices/edge-spifox-001/data"
        await hall.until(lambda: topic in [heard for heard, _, _ in hall.heard], what=topic)
        started = next(at for heard, _, at in hall.heard if heard.endswith("/status"))
        body, at = next((body, at) for heard, body, at in hall.heard if heard == topic)
        assert body["tags"] == {"temperature": 25.4}
        assert body["connection_id"] == 1
        assert at - started < 2.0


async def test_a_changed_document_is_live_without_a_restart_and_leaves_the_others_alone(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        kept, changed = await hall.plc(), await hall.plc()
        hall.configure(modbus_device(kept, "1"), modbus_device(changed, "2"))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 10, what="data of both")

        before = len(kept.record.reads)
        hall.configure(
            modbus_device(kept, "1"),
            modbus_device(
                changed, "2", tags=[{"name": "neu", "address": "40003", "data_type": "UINT16", "scale": 0.5}]
            ),
        )
        await hall.until(lambda: hall.values("neu"), within_s=2.0, what="the new tag")
        await asyncio.sleep(1.5)

        arrivals = kept.record.arrivals()[before - 5 :]
        gaps = [later - sooner for sooner, later in pairwise(arrivals)]
        assert max(gaps) < 0.19, "a poll of the unchanged device was missed"
        assert kept.record.connections == 1
        assert changed.record.connections == 1, "a change of tags needs no new connection"
        assert hall.fleet.record.not_modified >= 1, "an unchanged document costs a 304"
        assert hall.account().holes() == []


async def test_an_outage_of_the_broker_loses_nothing(tmp_path: Path) -> None:
    async with Hall(tmp_path, MQTT_RECONNECT_MAX_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc, interval_ms=100))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, what="data before the outage")
        hall.broker.kill()
        await hall.proxy.cut()
        await asyncio.sleep(4.0)
        await hall.outage_ends()
        ended = time.time()
        await hall.until(lambda: "drained" in [body["type"] for body in hall.messages("events")], what="drained")
        await hall.until(lambda: "buffered" not in obj(hall.messages("data")[-1]["meta"]), what="live data again")

        account = hall.account()
        assert account.holes() == []
        assert account.seqs.first == 1
        assert account.conflicts == 0
        assert account.buffered >= 30
        stamps = [str(body["timestamp"]) for body in hall.messages("data")]
        assert len(set(stamps)) == len(account.seqs), "each with its own, original time"
        values = list(dict.fromkeys(hall.values("r0")))
        assert values == sorted(values, key=lambda value: cast(int, value)), "in order"
        statuses = [at for topic, body, at in hall.heard if topic.endswith("/status") and body["status"] == "online"]
        assert len([at for at in statuses if at > ended]) <= 3, "heartbeats are not replayed"


async def test_kill_9_in_an_outage_loses_at_most_the_last_commit(tmp_path: Path) -> None:
    async with Hall(tmp_path, MQTT_RECONNECT_MAX_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc, interval_ms=100))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 5, what="data before the outage")
        hall.broker.kill()
        await hall.proxy.cut()
        await asyncio.sleep(2.0)
        hall.collector.kill()
        killed_ms = time.time() * 1000
        hall.collector.start()
        await asyncio.sleep(1.0)
        await hall.outage_ends()
        await hall.until(lambda: len(hall.ledger.accounts) == 2 and len(hall.account().seqs) > 10, what="both epochs")

        first, second = sorted(hall.ledger.accounts.values(), key=lambda account: int(account.epoch, 36))
        assert first.holes(1) == []
        assert second.holes(1) == []
        assert first.last_ms is not None
        assert killed_ms - first.last_ms < 500, "100 ms of poll interval, 100 ms to the commit, one fsync"
        restart = next(body for body in hall.messages("events") if body["type"] == "restart")
        assert restart["previous_epoch"] == first.epoch
        assert restart["last_recorded_seq"] == first.seqs.last


async def test_the_heartbeat_registers_and_the_broker_tells_of_a_sudden_end(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        hall.collector.start()
        await hall.until(lambda: hall.messages("status"), what="a heartbeat although there is no config")
        status = hall.messages("status")[0]
        assert {"cpu_percent", "memory_percent", "disk_percent", "ip_address", "status"} <= status.keys()
        assert status["company_code"] == "SPIFOX"
        await hall.until(lambda: EDGE_ID in hall.fleet.store.edges, what="registration")
        assert hall.fleet.record.config_requests >= 1, "the config was asked for before the heartbeat"
        hall.collector.kill()
        await hall.until(lambda: hall.messages("status")[-1]["status"] == "offline", what="the last will")
        will = hall.messages("status")[-1]
        assert will == {"status": "offline", "company_code": "SPIFOX", "reason": "connection_lost"}


async def test_sigterm_is_a_clean_end(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 3, what="data")
        status, seconds = await hall.collector.stop()
        assert (status, seconds < 3.0) == (0, True)
        await hall.until(lambda: hall.messages("status")[-1]["status"] == "offline", what="the farewell")
        farewell = hall.messages("status")[-1]
        assert farewell.keys() == {"status", "company_code", "reason", "timestamp"}
        assert farewell["reason"] == "shutdown"
        assert hall.account().holes(1) == []
        assert len(hall.values("r0")) == len(plc.record.reads), "what was read was delivered"

        hall.collector.start()
        await hall.until(lambda: len(hall.ledger.accounts) == 2, what="a new epoch")
        assert "restart" not in [body["type"] for body in hall.messages("events")]


async def test_the_last_good_config_starts_without_the_fleet_server(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), what="data")
        await hall.collector.stop()
        hall.fleet.faults.down = True
        hall.heard.clear()
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), within_s=5.0, what="data without the Fleet server")
        assert "the last good configuration stays in force" in hall.collector.log


async def test_without_any_config_it_waits_says_so_and_beats(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        hall.fleet.faults.down = True
        hall.collector.start()
        await hall.until(lambda: hall.messages("status"), what="a heartbeat")
        assert "nothing is polled" in hall.collector.log
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.fleet.faults.down = False
        await hall.until(lambda: hall.values("r0"), within_s=5.0, what="data once there is a config")


@pytest.mark.parametrize("body", ["<html>점검 중</html>", '{"version": "v2", "devices": [', "[]", '{"devices": {}}'])
async def test_what_is_no_config_changes_nothing(tmp_path: Path, body: str) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=0.3) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), what="data")
        asked = hall.fleet.record.config_requests
        hall.fleet.faults.body = body
        await hall.until(lambda: hall.fleet.record.config_requests >= asked + 2, what="two more requests")
        seen = len(hall.values("r0"))
        await hall.until(lambda: len(hall.values("r0")) > seen + 5, what="data goes on")
        assert plc.record.connections == 1
        assert hall.account().holes() == []
        assert "no new configuration" in hall.collector.log


async def test_bad_devices_and_tags_cost_only_themselves(tmp_path: Path) -> None:
    async with Hall(tmp_path, HEARTBEAT_INTERVAL_SEC=0.5, CONFIG_SYNC_INTERVAL_SEC=1) as hall:
        good, garbage = await hall.plc(), await hall.plc()
        garbage.faults.garbage = True
        tags = [
            {"name": "good", "address": "40001", "data_type": "UINT16"},
            {"name": "good", "address": "40002", "data_type": "UINT16"},
            {"name": "away", "address": "40500", "data_type": "UINT16"},
            {"name": "unreadable", "address": "ABC", "data_type": "UINT16"},
            {"name": "untyped", "address": "40003", "data_type": "WORT"},
            {"name": "scaled", "address": "40004", "data_type": "UINT16", "scale": "viel"},
        ]
        hall.configure(
            modbus_device(good, "1", tags=tags),
            modbus_device(good, "1"),
            modbus_device(good, "3", protocol="profinet"),
            modbus_device(good, "4", interval_ms=0),
            modbus_device(good, "5", connection={"host": "no-such-host.invalid"}),
            modbus_device(good, "6", connection={"host": "127.0.0.1", "port": 1}),
            modbus_device(garbage, "7"),
        )
        hall.collector.start()
        await hall.until(lambda: len(hall.values("good")) > 5, what="the good tag")

        def devices() -> dict[str, Any]:
            return obj(hall.messages("status")[-1]["devices"])

        await hall.until(lambda: len(devices()["trouble"]) == 5, what="all the trouble in the heartbeat")
        paths = "\n".join([problem["path"] for problem in obj(hall.messages("status")[-1]["config_errors"])["first"]])
        for path in ("devices[0].tags[1].name", "devices[0].tags[5].scale", "devices[1].id", "devices[3].interval_ms"):
            assert path in paths + hall.collector.log
        last = hall.messages("data")[-1]
        assert obj(last["meta"])["quality"] == {"away": "bad_address"}
        for text in ("profinet", "no-such-host.invalid", "127.0.0.1:1", "UINT16"):
            assert text in hall.collector.log
        assert "Traceback" not in hall.collector.log
        assert hall.account().holes() == []


async def test_commands_are_answered(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=60) as hall:
        plc = await hall.plc()
        device = modbus_device(plc)
        obj(device["connection"])["password"] = "canary-5e2c"
        hall.configure(device)
        hall.collector.start()
        await hall.until(lambda: hall.values("r0"), what="data")
        pong = await hall.fleet.command(EDGE_ID, "ping")
        assert pong["status"] == "success"
        assert obj(pong["result"]).keys() == {"version", "uptime_sec"}
        status = obj((await hall.fleet.command(EDGE_ID, "get_status"))["result"])
        assert [device["state"] for device in status["devices"]["all"]] == ["online"]
        config = obj((await hall.fleet.command(EDGE_ID, "get_config"))["result"])
        assert config["edge_name"] == "시험 엣지"
        assert "canary-5e2c" not in str(config)

        hall.configure(modbus_device(plc, "1", tags=[{"name": "neu", "address": 40002, "data_type": "UINT16"}]))
        reloaded = obj((await hall.fleet.command(EDGE_ID, "reload_config"))["result"])
        assert (reloaded["applied"], reloaded["refused"]) == (True, [])
        await hall.until(lambda: hall.values("neu"), within_s=2.0, what="the reloaded tag")
        unknown = await hall.fleet.command(EDGE_ID, "open_the_gate")
        assert (unknown["status"], obj(unknown["error"])["code"]) == ("rejected", "unsupported")
        assert "canary-5e2c" not in hall.collector.log


async def test_a_broker_that_ignores_version_5_is_spoken_to_in_3_1_1(tmp_path: Path) -> None:
    heard: list[str] = []
    async with (
        EmbeddedBroker() as broker,
        Hall(tmp_path, MQTT_BROKER_URL=broker.url) as hall,
        MqttListener(broker.url, lambda topic, *_: heard.append(topic), topics=("vexplor/#",)) as listener,
    ):
        await listener.ready()
        plc = await hall.plc()
        hall.configure(modbus_device(plc))
        hall.collector.start()
        await hall.until(lambda: heard.count(f"vexplor/devices/{EDGE_ID}/data") > 20, what="data")
        assert "mqtt=3.1.1" in hall.collector.log
        await hall.collector.stop()


async def test_a_dry_run_prints_and_publishes_nothing(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        dead = modbus_device(plc, "2", connection={"host": "127.0.0.1", "port": 1})
        hall.configure(modbus_device(plc), dead)
        hall.collector.start("--dry-run")
        await hall.until(lambda: hall.collector.log.count("r9=") > 3, what="printed scans")
        await hall.until(lambda: "device is offline" in hall.collector.log, what="why the other one has no values")
        assert re.search(r"device is offline +device=프레스_2 id=2 reason=.*nothing listens", hall.collector.log)
        assert (await hall.collector.stop())[0] == 0
        assert hall.heard == []
        assert not (tmp_path / "data").exists()


async def test_two_collectors_can_not_share_a_data_folder(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        hall.collector.start()
        await hall.until(lambda: hall.messages("status"), what="the first one")
        second = CollectorProcess(tmp_path / "second", {})
        second.configure(
            {"EDGE_SERVER_URL": hall.fleet.url, "MQTT_BROKER_URL": hall.broker.url, "DEVICE_ID": "edge-2"}
            | {"DATA_DIR": tmp_path / "data"}
        )
        with second:
            assert await second.wait() == 3
        assert "in use" in second.log
        assert "Traceback" not in second.log


async def test_every_mistake_in_the_settings_is_told_at_once(tmp_path: Path) -> None:
    collector = CollectorProcess(
        tmp_path, {"EDGE_SERVER_URL": "pipeline", "MQTT_BROKER_URL": "http://x", "BUFFER_COMMIT_MS": "bald"}
    )
    with collector:
        assert await collector.wait() == 2
    for name in ("EDGE_SERVER_URL", "MQTT_BROKER_URL", "DEVICE_ID", "BUFFER_COMMIT_MS"):
        assert name in collector.log
    assert "Traceback" not in collector.log
