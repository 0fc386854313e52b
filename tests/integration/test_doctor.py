"""`edge-collector doctor` against real servers, with what goes wrong in plants."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from collector.cli.doctor import findings
from collector.cli.doctor.devices import look_at_serial_port
from collector.cli.doctor.finding import Finding, Mark
from collector.cli.doctor.history import look_at_history
from collector.cli.doctor.safety import look_at_certificate, look_at_exposure, look_at_owners, runs_as_another
from collector.cli.doctor.servers import look_at_clock
from collector.cli.doctor.sinks import look_at_sinks
from collector.cli.doctor.storage import look_at_data_folder
from collector.clock import SystemClock
from collector.settings import Settings, load_settings
from fleet_client.copies import DocumentStore
from tests.doubles.certificates import DAY, Authority
from tests.doubles.documentation import ROOT
from tests.doubles.hall import EDGE_ID, Hall, modbus_device
from tests.doubles.kafka_cluster import KafkaCluster
from tests.doubles.mosquitto import Mosquitto, free_port
from tests.doubles.uplink_server import Reply, UplinkServer


def settings_of(folder: Path, **variables: object) -> Settings:
    """Settings with a data folder in place."""
    data = folder / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    texts = {
        "EDGE_SERVER_URL": f"http://127.0.0.1:{free_port()}",
        "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{free_port()}",
        "DEVICE_ID": EDGE_ID,
        "DATA_DIR": data,
        "HTTP_PORT": 0,
        "HISTORY_MAX_MB": 0,
        **variables,
    }
    return load_settings(None, {name: str(value) for name, value in texts.items()})


async def found(settings: Settings) -> list[Finding]:
    """All findings."""
    return [finding async for finding in findings(settings, SystemClock())]


def about(subject: str, all_found: list[Finding]) -> Finding:
    """The first one about a subject."""
    return next(finding for finding in all_found if finding.subject == subject)


def bad_ones(all_found: list[Finding]) -> set[str]:
    """The subjects that are not well."""
    return {finding.subject for finding in all_found if finding.mark is Mark.BAD}


async def test_where_all_is_well_it_says_so_and_publishes_nothing(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        hall.configure(modbus_device(plc), modbus_device(plc, "2"))
        all_found = await found(settings_of(tmp_path, EDGE_SERVER_URL=hall.fleet.url, MQTT_BROKER_URL=hall.broker.url))
        assert bad_ones(all_found) == set()
        assert "speaks MQTT 5" in about("broker", all_found).said
        assert "2 devices" in about("Fleet server", all_found).said
        assert about("clock", all_found).mark is Mark.GOOD
        assert [f.said for f in all_found if "1 more on its link" in f.subject] != []
        assert hall.heard == []


async def test_each_thing_that_is_away_is_one_line_with_what_to_do(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, MQTT_BROKER_URL="mqtt://no-such-host.invalid")
    all_found = await found(settings)
    assert bad_ones(all_found) == {"name", "Fleet server", "broker"}
    assert all(finding.remedy for finding in all_found if finding.mark is Mark.BAD)


async def test_a_plc_that_is_away_costs_its_own_line(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        plc = await hall.plc()
        away = {**modbus_device(plc, "2"), "name": "away", "connection": {"host": "127.0.0.1", "port": free_port()}}
        hall.configure({**modbus_device(plc), "name": "there"}, away)
        all_found = await found(settings_of(tmp_path, EDGE_SERVER_URL=hall.fleet.url, MQTT_BROKER_URL=hall.broker.url))
        assert bad_ones(all_found) == {"away"}
        assert about("there", all_found).mark is Mark.GOOD


async def test_without_the_fleet_server_the_kept_document_names_the_plcs(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    device = {"id": "1", "name": "kept", "protocol": "modbus_tcp", "connection": {"host": "127.0.0.1", "port": 1},
              "tags": [{"name": "t", "address": "40001", "data_type": "INT16"}]}  # fmt: skip
    body = str({"edge_id": EDGE_ID, "devices": [device]}).replace("'", '"').encode()
    DocumentStore(settings.data_dir / "config").keep(body, None, EDGE_ID, "/")
    assert "kept" in bad_ones(await found(settings))


async def test_a_broker_that_refuses_is_quoted(tmp_path: Path) -> None:
    with Mosquitto(lines=["allow_anonymous false"]) as broker:
        refused = about("broker", await found(settings_of(tmp_path, MQTT_BROKER_URL=broker.url)))
    assert refused.mark is Mark.BAD
    assert "not authorised" in refused.said.lower()
    assert f"edge-collector-{EDGE_ID}-doctor" in refused.remedy


async def test_s18_the_brokers_limits_are_told(tmp_path: Path) -> None:
    with Mosquitto(lines=["max_packet_size 50000", "max_inflight_messages 7", "max_keepalive 12"]) as broker:
        lines = [f for f in await found(settings_of(tmp_path, MQTT_BROKER_URL=broker.url)) if f.subject == "broker"]
    told = " ".join(line.said for line in lines)
    assert "50,000 bytes" in told
    assert "7 in flight" in told
    assert "keep-alive 12 s" in told
    assert [line.mark for line in lines] == [Mark.GOOD, Mark.NOTE, Mark.NOTE]


async def test_an_old_broker_tells_no_limits(tmp_path: Path) -> None:
    with Mosquitto() as broker:
        settings = settings_of(tmp_path, MQTT_BROKER_URL=broker.url, MQTT_VERSION="3.1.1")
        assert "3.1.1" in about("broker", await found(settings)).said


def test_the_clock_is_judged_by_a_minute() -> None:
    assert look_at_clock(0.4).mark is look_at_clock(-59).mark is Mark.GOOD
    assert "61 s ahead of" in look_at_clock(61).said
    assert "3600 s behind" in look_at_clock(-3600).said
    assert look_at_clock(None).mark is Mark.NOTE


def test_a_data_folder_that_is_a_file_or_open_to_all_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    settings.data_dir.chmod(0o755)
    assert [f.mark for f in look_at_data_folder(settings)][:2] == [Mark.NOTE, Mark.GOOD]
    settings.data_dir.rmdir()
    assert "can be made" in next(look_at_data_folder(settings)).said
    settings.data_dir.touch()
    assert next(look_at_data_folder(settings)).mark is Mark.BAD


def test_a_data_folder_that_nobody_may_write_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, DATA_DIR="/proc/1")
    assert next(look_at_data_folder(settings)).mark is Mark.BAD


def test_too_little_room_is_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, BUFFER_MAX_MB=10_000_000)
    room = list(look_at_data_folder(settings))[-1]
    assert (room.subject, room.mark) == ("disk", Mark.NOTE)
    assert "BUFFER_MAX_MB=10000000" in room.remedy


def test_a_serial_port_that_is_not_there_is_told(tmp_path: Path) -> None:
    missing = look_at_serial_port(tmp_path / "ttyUSB9")
    assert missing is not None
    assert "is it plugged in" in missing.remedy
    there = tmp_path / "ttyUSB0"
    there.touch()
    assert look_at_serial_port(there) is None


async def doctor(folder: Path, **variables: object) -> subprocess.CompletedProcess[str]:
    """The real command with this `.env`."""
    (folder / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()), "utf-8")
    (folder / ".env").chmod(0o600)
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "collector", "doctor"],
        cwd=folder, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip


async def test_the_exit_status_is_for_scripts(tmp_path: Path) -> None:
    unusable = await doctor(tmp_path, DEVICE_ID="a/#")
    assert unusable.returncode == 2
    assert "DEVICE_ID" in unusable.stderr
    async with Hall(tmp_path / "hall") as hall:
        hall.configure(modbus_device(await hall.plc()))
        good = {"EDGE_SERVER_URL": hall.fleet.url, "MQTT_BROKER_URL": hall.broker.url, "DEVICE_ID": EDGE_ID}
        well = await doctor(tmp_path, **good, MQTT_PASSWORD="canary-secret", MQTT_USERNAME="u")
        assert (well.returncode, "All is well." in well.stdout) == (0, True), well.stdout + well.stderr
        assert "canary" not in well.stdout + well.stderr
        hall.broker.stop()
        ill = await doctor(tmp_path, **good)
        assert (ill.returncode, "1 not well" in ill.stdout) == (1, True), ill.stdout


async def test_it_takes_the_connection_of_no_collector_that_runs(tmp_path: Path) -> None:
    async with Hall(tmp_path) as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 3, what="data")
        beside = tmp_path / "beside"
        beside.mkdir()
        well = await doctor(beside, EDGE_SERVER_URL=hall.fleet.url, MQTT_BROKER_URL=hall.broker.url, DEVICE_ID=EDGE_ID)
        assert well.returncode == 0, well.stdout
        assert [body["status"] for body in hall.messages("status")] == ["online"] * len(hall.messages("status"))
        assert "no connection to the broker" not in hall.collector.log
        assert "another client" not in hall.collector.log


async def test_how_far_the_history_reaches_back_is_read_or_asked(tmp_path: Path) -> None:
    port = free_port()
    async with Hall(tmp_path, HTTP_PORT=port) as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 3, what="data")
        settings = settings_of(
            tmp_path, DATA_DIR=hall.collector.folder / "data", HISTORY_MAX_MB=64, HTTP_PORT=port,
            EDGE_SERVER_URL=hall.fleet.url, MQTT_BROKER_URL=hall.broker.url,
        )  # fmt: skip
        async with asyncio.timeout(20):
            while (running := await look_at_history(settings, SystemClock())).mark is not Mark.GOOD:
                assert "a running collector" in running.said  # its page comes a second after its first poll
                await asyncio.sleep(0.05)
        assert "known ten minutes after the start" in running.said
        await hall.collector.stop()
        stopped = await look_at_history(settings, SystemClock())
        assert stopped.mark is Mark.GOOD
        assert "reaches back: single values 0 min" in stopped.said
        assert "of 64 MB" in stopped.said
        assert about("history", await found(settings)) == stopped
    off = await look_at_history(settings_of(tmp_path), SystemClock())
    assert "off" in off.said
    settings.data_dir.joinpath("history", "history.db").write_bytes(b"garbage" * 1_000)
    assert (await look_at_history(settings, SystemClock())).mark is Mark.BAD


def test_s2_our_certificate_is_told_before_it_ends(tmp_path: Path) -> None:
    ca, clock = Authority(tmp_path, "CA"), SystemClock()
    marks = []
    for end in (40 * DAY, 20 * DAY, -DAY / 2):
        file, _ = ca.issue("client", end=end)
        marks.append(look_at_certificate(file, clock).mark)
    assert marks == [Mark.GOOD, Mark.NOTE, Mark.BAD]
    file.write_text("nothing")
    assert "can not be read" in look_at_certificate(file, clock).said


def test_s1_s14_what_is_open_is_named_and_is_no_fault(tmp_path: Path) -> None:
    files = {"HTTP_PORT": 8090, "WRITES_ENABLED": "true", "MQTT_BROKER_URL": "mqtt://broker.example"}
    wide = list(look_at_exposure(settings_of(tmp_path, HTTP_HOST="192.168.1.2", **files), (), SystemClock()))
    assert {finding.subject: finding.mark for finding in wide} == dict.fromkeys(
        ("plain connections", "page", "writing"), Mark.NOTE
    )
    assert "mqtt://broker.example" in wide[0].said
    assert list(look_at_exposure(settings_of(tmp_path), (), SystemClock())) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_s24_files_of_another_user_are_told(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert look_at_owners(settings.data_dir) is None
    assert runs_as_another(settings.data_dir) is None
    (settings.data_dir / "outbox").mkdir()
    os.chown(settings.data_dir / "outbox", 1, -1)
    strange = look_at_owners(settings.data_dir)
    assert strange is not None
    assert "chown -R root" in strange.remedy
    os.chown(settings.data_dir, 1, -1)
    other = runs_as_another(settings.data_dir)
    assert other is not None
    assert other.mark is Mark.NOTE


async def sinks_found(**variables: object) -> dict[str, Finding]:
    """What is found of the further sinks, by subject."""
    given = {"EDGE_SERVER_URL": "http://f", "MQTT_BROKER_URL": "mqtt://b", "DEVICE_ID": EDGE_ID, **variables}
    settings = load_settings(None, {name: str(value) for name, value in given.items()})
    return {finding.subject: finding async for finding in look_at_sinks(settings)}


async def test_further_sinks_are_tried_and_get_no_message() -> None:
    assert await sinks_found() == {}
    async with KafkaCluster() as cluster, UplinkServer() as server:
        server.answer = lambda posted: Reply(404)
        told = await sinks_found(KAFKA_BROKERS=cluster.address, UPLINK_URL=server.url)
        assert told["Kafka"].mark is Mark.NOTE
        assert "vexplor.devices.data" in told["Kafka"].said
        assert told["HTTP sink"].mark is Mark.GOOD
        assert [posted.body for posted in server.posted] == [[]]
        assert await cluster.stored("vexplor.devices.data") == []
        server.answer = lambda posted: Reply(401)
        told = await sinks_found(UPLINK_URL=server.url.replace("http://", "http://me:canary@"))
        assert "user and password" in told["HTTP sink"].remedy
        assert "canary" not in str(told)
    told = await sinks_found(KAFKA_BROKERS=f"127.0.0.1:{free_port()}", UPLINK_URL=f"http://127.0.0.1:{free_port()}")
    assert {finding.mark for finding in told.values()} == {Mark.BAD}
    assert "no Kafka broker answers" in told["Kafka"].said
    assert "Connection refused" in told["HTTP sink"].said
