"""What `support_bundle` answers, and the parts of the file that the real run of row S5 does not show."""

import asyncio
import zipfile
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from rich.console import Console

from collector.cli.support import EXIT_NOT_WRITTEN, make_bundle
from collector.cli.support.archive import file_name
from collector.commands.devices import Devices
from collector.commands.outcome import CommandFailed
from collector.commands.support import MOST_BYTES, Sources, SupportCommands
from fleet_client.commands import Command
from fleet_client.copies import DocumentStore
from simulators.modbus import ModbusPlc
from tests.doubles.command_desk import CommandDesk
from tests.doubles.hall import counting_layout, modbus_device
from tests.doubles.mosquitto import free_port

SECRET = "canary-4c1d"


def bundle_of(
    desk: CommandDesk, *, document: Mapping[str, object] | None = None, lines: list[str] | None = None
) -> SupportCommands:
    sources = Sources(
        about=lambda: {"edge_id": "edge-1"},
        parts={"settings": lambda: {"A": f"x{SECRET}y", "B": None}},
        lines=lambda: lines or [],
        document=lambda: orjson.dumps(document or {"devices": []}),
        secrets=(SECRET,),
    )
    return SupportCommands(sources, Devices(desk.supervisor, desk.clock))


async def answer(support: SupportCommands, **params: object) -> dict[str, object]:
    return dict(await support.handlers()["support_bundle"](Command("c", "command_id", "support_bundle", params)))


async def test_the_answer_is_bounded_masked_and_says_what_it_leaves_out(tmp_path: Path) -> None:
    plain = {"devices": [{"id": "1", "connection": {"password": "of-the-plc"}, "note": "가" * 40_000}]}
    lines = [f"{number} {SECRET} of-the-plc " + "x" * 5_000 for number in range(100)]
    async with CommandDesk(tmp_path) as desk:
        told = await answer(bundle_of(desk, document=plain, lines=lines))
    assert len(orjson.dumps(told)) < MOST_BYTES + 1_000
    assert list(told["left_out"]) == ["document"]  # type: ignore[call-overload]
    assert told["settings"] == {"A": "x***y", "B": None}
    log = told["log"]
    assert isinstance(log, list)
    assert log[-1].startswith("99 *** *** ")
    assert len(log) > 5
    assert SECRET not in str(told)
    assert "of-the-plc" not in str(told)


async def test_frames_are_those_of_one_read_by_the_session_that_polls(tmp_path: Path) -> None:
    async with ModbusPlc(counting_layout()) as plc, CommandDesk(tmp_path) as desk:
        desk.configure(modbus_device(plc, interval_ms=60_000))
        await desk.online()
        connections = plc.record.connections
        told = await answer(bundle_of(desk), frames=1)
        assert plc.record.connections == connections
    frames = told["frames"]
    assert isinstance(frames, dict)
    assert (frames["device"], frames["error"]) == ("프레스_1", None)
    ways = [line.split("ms ")[1][:2] for line in frames["lines"]]
    assert ways == ["->", "<-"]
    assert "01 03 00 00 00 0a" in frames["lines"][0]


async def test_a_device_that_is_away_is_told_and_an_unknown_one_refused(tmp_path: Path) -> None:
    async with ModbusPlc(counting_layout()) as plc, CommandDesk(tmp_path) as desk:
        away = {**modbus_device(plc), "connection": {"host": "127.0.0.1", "port": free_port()}}
        desk.configure(away)
        told = await answer(bundle_of(desk), frames="1")
        assert "refused the connection" in str(told["frames"])
        with pytest.raises(CommandFailed, match="'2'"):
            await answer(bundle_of(desk), frames="2")
        with pytest.raises(CommandFailed) as refused:
            await answer(bundle_of(desk), frames=[1])
        assert (refused.value.status, refused.value.code) == ("rejected", "invalid_command")


def env_file(folder: Path) -> Path:
    file = folder / ".env"
    texts = {
        "EDGE_SERVER_URL": f"http://127.0.0.1:{free_port()}", "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{free_port()}",
        "DEVICE_ID": "edge-1", "DATA_DIR": folder / "data", "HTTP_PORT": 0, "LOG_DIR": folder / "logs",
    }  # fmt: skip
    file.write_text("".join(f"{name}={value}\n" for name, value in texts.items()))
    file.chmod(0o600)
    return file


async def test_the_frames_of_a_stopped_collectors_device_tell_its_refusals(tmp_path: Path) -> None:
    async with ModbusPlc(counting_layout()) as plc:
        device = {**modbus_device(plc), "name": "../프레스/1"}
        body = orjson.dumps({"edge_id": "edge-1", "devices": [device]})
        (tmp_path / "data").mkdir(mode=0o700)
        DocumentStore(tmp_path / "data" / "config").keep(body, None, "edge-1", "/")
        target = tmp_path / "번들.zip"
        status = await asyncio.to_thread(make_bundle, env_file(tmp_path), target, "1", Console(stderr=True))
    assert status == 0
    assert target.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(target) as bundle:
        assert "frames/___프레스_1.txt" in bundle.namelist()
        told = bundle.read("frames/___프레스_1.txt").decode()
        assert "10 tags were read" in told
        assert told.count(" -> ") == 1
        assert b"broker" in bundle.read("doctor.txt")


def test_s24_no_file_is_overwritten_and_no_link_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "there").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("there", "link", "no/folder"):
        assert make_bundle(env_file(tmp_path), tmp_path / name, None, Console(stderr=True)) == EXIT_NOT_WRITTEN
    assert (tmp_path / "there").read_text() == "mine"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "a\\b:c", "..", "", "\n\x00", "프레스 1 (가)"])
def test_s24_a_devices_name_leads_out_of_no_folder(name: str) -> None:
    made = file_name(name)
    assert made
    assert not set(made) & set("/\\:\0\n.")


async def test_what_has_no_frames_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    tags = [{"name": "cpu", "address": "cpu.percent"}]
    async with CommandDesk(tmp_path) as desk:
        desk.configure({"id": "h", "name": "게이트웨이", "protocol": "host", "interval_ms": 100, "tags": tags})
        await desk.online("h")
        with pytest.raises(CommandFailed) as refused:
            await answer(bundle_of(desk), frames="h")
    assert (refused.value.status, refused.value.code) == ("rejected", "unsupported")
