"""A container polls the gateway that it stands on: disks, network and connections are those below `HOST_ROOT`."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from protocols.base import Cycle, DataType, TagSpec
from protocols.host.addresses import Source
from protocols.host.driver import HOST_ROOT, HostDriver
from protocols.host.figures import read_figures
from protocols.quality import Quality
from tests.doubles.host_root import made_up_host

ADDRESSES = {
    "net.enp3s0.bytes_recv": 7_000_001,
    "net.enp3s0.packets_recv": 71,
    "net.enp3s0.errors_in": 12,
    "net.enp3s0.dropped_in": 13,
    "net.enp3s0.bytes_sent": 8_000_001,
    "net.enp3s0.packets_sent": 81,
    "net.enp3s0.errors_out": 22,
    "net.enp3s0.dropped_out": 23,
    "net.connections.listen": 1,
    "net.connections.established": 1,
    "net.connections.total": 2,
    "memory.percent": 75.0,
    "memory.total": 1_024_000_000,
}


@pytest.fixture
def host_root(tmp_path: Path) -> Iterator[Path]:
    before = HOST_ROOT.set(made_up_host(tmp_path))
    yield tmp_path
    HOST_ROOT.reset(before)
    psutil.PROCFS_PATH = "/proc"


async def poll(*addresses: str) -> Cycle:
    """One reading of the gateway."""
    driver = HostDriver()
    connection = driver.connection({}, 3.0)
    points = [driver.point(TagSpec(address, address, DataType.FLOAT64), connection) for address in addresses]
    session = await driver.connect(connection)
    cycle = Cycle([None] * len(points))
    for request in driver.compile(connection, points):
        await session.read(request, cycle)
    await session.close()
    return cycle


async def test_s19_network_and_memory_are_the_hosts(host_root: Path) -> None:
    assert (await poll(*ADDRESSES)).values == list(ADDRESSES.values())


async def test_s19_an_interface_of_the_container_is_none_of_the_host(host_root: Path) -> None:
    assert (await poll("net.eth0.bytes_sent")).bad == {0: Quality.BAD_ADDRESS}


async def test_s19_a_disk_is_looked_for_below_the_root(host_root: Path) -> None:
    (host_root / "only/here").mkdir(parents=True)
    cycle = await poll("disk./only/here.total", "disk./proc/1/fd.total")
    assert cycle.values[0] == psutil.disk_usage(str(host_root)).total
    assert cycle.bad == {1: Quality.BAD_ADDRESS}


def test_without_tables_the_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="net/dev"):
        read_figures(Source.NET, "", tmp_path)
    with pytest.raises(FileNotFoundError, match="net/tcp"):
        read_figures(Source.CONNECTIONS, "", tmp_path)
