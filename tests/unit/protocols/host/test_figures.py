"""What the operating system says, by our names."""

import os
from pathlib import Path

import psutil
import pytest

from protocols.host import figures
from protocols.host.addresses import Source
from protocols.host.figures import CpuMeter, read_figures


def test_memory_and_disk_are_what_psutil_says() -> None:
    memory, disk = read_figures(Source.MEMORY, ""), read_figures(Source.DISK, "/")
    assert memory["", "total"] == psutil.virtual_memory().total
    assert 0 < memory["", "percent"] < 100
    assert disk["/", "total"] == psutil.disk_usage("/").total


@pytest.mark.parametrize(
    ("free", "for_all", "percent"), [(250, 250, 75.0), (250, 150, 83.3), (1000, 1000, 0.0), (0, 0, 100.0)]
)
def test_inodes_are_reckoned_as_df_does(
    monkeypatch: pytest.MonkeyPatch, free: int, for_all: int, percent: float
) -> None:
    said = os.statvfs_result((4096, 4096, 1, 1, 1, 1000, free, for_all, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _path: said)
    assert read_figures(Source.DISK, "/")["/", "inodes_percent"] == percent


def test_a_filesystem_without_a_count_of_inodes_has_no_such_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _path: os.statvfs_result((4096, 4096, 1, 1, 1, 0, 0, 0, 0, 255)))
    disk = read_figures(Source.DISK, "/")
    assert ("/", "percent") in disk
    assert ("/", "inodes_percent") not in disk


def test_what_is_not_there_is_not_in_the_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_figures(Source.DISK, str(tmp_path / "nothing")) == {}
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)
    assert read_figures(Source.TEMPERATURE, "") == {}
    monkeypatch.setattr(psutil, "disk_io_counters", lambda perdisk: None)
    assert read_figures(Source.DISK_IO, "") == {}


def test_what_may_not_be_seen_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(kind: str) -> None:
        raise psutil.AccessDenied(1, msg=f"{kind} is for root")

    monkeypatch.setattr(psutil, "net_connections", refuse)
    with pytest.raises(OSError, match="tcp is for root"):
        read_figures(Source.CONNECTIONS, "")


def test_the_processors_sensor_has_one_name_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sensor:
        current = 48.25

    chips = {"acpitz": [Sensor()], "empty": [], "k10temp": [Sensor()]}
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: chips, raising=False)
    assert read_figures(Source.TEMPERATURE, "") == {
        ("", "acpitz"): 48.2, ("", "k10temp"): 48.2, ("", "cpu"): 48.2,
    }  # fmt: skip


def test_load_is_the_share_of_the_span_between_two_readings(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = {"": (10.0, 100.0), "0": (5.0, 50.0), "1": (5.0, 50.0)}
    monkeypatch.setattr(figures, "_cpu_ticks", lambda: dict(ticks))
    meter = CpuMeter()
    ticks |= {"": (12.5, 110.0), "0": (10.0, 55.0), "2": (0.0, 5.0)}
    assert meter.read() == {("", "percent"): 25.0, ("0", "percent"): 100.0}
    ticks |= {"": (22.5, 120.0), "1": (5.0, 55.0), "2": (2.5, 10.0)}
    assert meter.read() == {("", "percent"): 100.0, ("1", "percent"): 0.0, ("2", "percent"): 50.0}
