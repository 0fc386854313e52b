"""In a container the heartbeat tells the gateway's own figures, read below `HOST_ROOT`."""

import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from collector.settings import load_settings
from collector.status.machine import Machine
from collector.status.own_address import address_of_host, own_address
from tests.doubles.host_root import ADDRESS, BOOTED_AT_S, made_up_host

NEEDED = {"EDGE_SERVER_URL": "http://127.0.0.1:1", "MQTT_BROKER_URL": "mqtt://127.0.0.1:1", "DEVICE_ID": "edge-1"}


@pytest.fixture
def host_root(tmp_path: Path) -> Iterator[Path]:
    yield made_up_host(tmp_path)
    psutil.PROCFS_PATH = "/proc"


def test_s19_memory_address_and_uptime_are_the_hosts(host_root: Path) -> None:
    machine = Machine(host_root, host_root=host_root)
    figures = machine.figures()
    assert (figures.memory_percent, figures.ip_address) == (75.0, ADDRESS)
    assert machine.uptime_s() == pytest.approx(time.time() - BOOTED_AT_S, abs=5)


def test_s19_the_address_that_is_set_wins(host_root: Path) -> None:
    assert Machine(host_root, "10.1.2.3", host_root).figures().ip_address == "10.1.2.3"


def test_the_processors_load_is_read_below_the_root(host_root: Path) -> None:
    machine = Machine(host_root, host_root=host_root)
    stat = host_root / "proc/stat"
    stat.write_text(stat.read_text("ascii").replace("600 0 300 2100", "660 0 320 2120"), "ascii")
    assert machine.figures().cpu_percent == 80.0


@pytest.mark.parametrize("lost", ["route", "fib_trie"])
def test_a_host_that_does_not_say_its_address_costs_only_that(host_root: Path, lost: str) -> None:
    table = host_root / "proc/1/net" / lost
    for spoilt in ("x\ny z\n" * 2, "x\n|-- 1.2.3.999\n/32 host LOCAL\n"):
        table.write_text(spoilt, "ascii")
        assert address_of_host(host_root / "proc") is None
    table.unlink()
    assert Machine(host_root, host_root=host_root).figures().ip_address == own_address()


def test_an_empty_mount_is_told_and_costs_no_figure(tmp_path: Path) -> None:
    empty = tmp_path / "host"
    empty.mkdir()
    settings = load_settings(None, {**NEEDED, "HOST_ROOT": str(empty)})
    assert [warning.variable for warning in settings.warnings] == ["HOST_ROOT"]
    assert Machine(tmp_path, host_root=empty).figures().ip_address == own_address()


def test_a_mounted_host_needs_no_word(host_root: Path) -> None:
    assert load_settings(None, {**NEEDED, "HOST_ROOT": str(host_root)}).warnings == ()
