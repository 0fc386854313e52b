"""Row S24: what the collector writes is for its own user, whatever the machine's habits are."""

import asyncio
from pathlib import Path

from tests.doubles.collector_process import CollectorProcess
from tests.doubles.hall import Hall, modbus_device


async def test_s24_every_file_and_folder_is_for_the_owner_only(tmp_path: Path) -> None:
    async with Hall(tmp_path, LOG_DIR="logs", LOG_LEVEL="DEBUG") as hall:
        hall.configure(modbus_device(await hall.plc()))
        hall.collector.start()
        await hall.until(lambda: len(hall.messages("data")) > 2, 50, "data")
        hall.broker.stop()  # from here on data goes to disk
        outbox = tmp_path / "data" / "outbox" / "outbox.db"
        await hall.until(lambda: outbox.with_name("outbox.db-wal").exists(), 50, "a written outbox")
        await hall.until(lambda: (tmp_path / "data" / "config" / "current.json").exists(), 50, "a kept document")
        await hall.collector.stop()
        made = [path for name in ("data", "logs") for path in [tmp_path / name, *(tmp_path / name).rglob("*")]]
        assert len(made) > 10
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in made if path.stat().st_mode & 0o077} == {}


async def test_s24_a_data_folder_that_is_a_link_elsewhere_keeps_its_files_from_others(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir(mode=0o755)
    (tmp_path / "edge").mkdir()
    (tmp_path / "edge" / "data").symlink_to(tmp_path / "disk")
    variables = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "MQTT_BROKER_URL": "mqtt://127.0.0.1:1", "DEVICE_ID": "e"}
    with CollectorProcess(tmp_path / "edge", variables) as collector:
        async with asyncio.timeout(50):
            while not (tmp_path / "disk" / "outbox" / "outbox.db").exists():
                await asyncio.sleep(0.02)
        await collector.stop()
    inside = [path for path in (tmp_path / "disk").rglob("*") if path.is_file()]
    assert [path.name for path in inside if path.stat().st_mode & 0o077] == []
