"""What the contract suite asks of every driver, as far as it means anything without a wire, asked of the machine."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest

from protocols.base import Connection, Cycle, DataType, PlcDriver, TagSpec
from protocols.errors import Refused, RequestRefused, SessionLost, Unwritable
from protocols.host import session as host_session
from protocols.host.addresses import Source
from protocols.host.figures import Figures
from protocols.quality import Quality
from protocols.registry import driver
from tests.contract.bench import spec

HOST: PlcDriver = driver("host")
LACKING = ("cpu.9999.percent", "disk./no/such/mount.percent", "net.nix9.bytes_sent", "disk_io.nix9.read_bytes")


class Reader:
    """Reads figures through one session."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    async def open(self) -> None:
        """Connect anew."""
        self.session = await HOST.connect(self.connection)

    async def read(self, *tags: TagSpec) -> Cycle:
        """One poll cycle of these tags."""
        cycle = Cycle([None] * len(tags))
        points = [HOST.point(tag, self.connection) for tag in tags]
        for request in HOST.compile(self.connection, points):
            await self.session.read(request, cycle)
        return cycle


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    reader = Reader(HOST.connection({}, 0.25))
    await reader.open()
    yield reader
    await reader.session.close()


def figure(address: str, **more: object) -> TagSpec:
    return TagSpec("tag", address, DataType.FLOAT64, **more)  # type: ignore[arg-type]


async def test_a_session_reads_closes_and_closes_again(reader: Reader) -> None:
    assert (await reader.read(figure("memory.percent"))).bad == {}
    await reader.session.close()
    await reader.session.close()
    with pytest.raises(SessionLost):
        await reader.read(figure("memory.percent"))


async def test_the_figures_are_numbers_in_their_ranges() -> None:
    reader = Reader(HOST.connection({}, 5))  # a busy machine may take its time to list all connections
    await reader.open()
    shares = ("cpu.percent", "cpu.0.percent", "memory.percent", "swap.percent", "disk./.percent")
    counters = ("uptime", "net.lo.bytes_sent", "net.connections.total", "memory.available", "load.1")
    cycle = await reader.read(*map(figure, (*shares, *counters)))
    assert cycle.bad == {}
    values = [value for value in cycle.values if isinstance(value, int | float)]
    assert len(values) == len(shares) + len(counters)
    assert all(0 <= value <= 100 for value in values[: len(shares)])
    assert all(value >= 0 for value in values)


async def test_what_the_machine_lacks_is_a_bad_address_and_costs_nothing_else(reader: Reader) -> None:
    cycle = await reader.read(*map(figure, LACKING), figure("uptime"))
    assert cycle.bad == dict.fromkeys(range(len(LACKING)), Quality.BAD_ADDRESS)
    assert isinstance(cycle.values[-1], int)


async def test_values_are_scaled(reader: Reader) -> None:
    plain, scaled = (
        await reader.read(figure("memory.total"), figure("memory.total", scale=Decimal(2), offset=Decimal(1)))
    ).values
    assert isinstance(plain, int)
    assert scaled == 2 * plain + 1


async def test_one_request_a_source_and_one_a_mount_point(reader: Reader) -> None:
    addresses = (
        "cpu.percent",
        "cpu.0.percent",
        "disk./.percent",
        "disk./.free",
        "disk./tmp.percent",
        "net.lo.bytes_sent",
    )
    points = [HOST.point(figure(address), reader.connection) for address in addresses]
    requests = HOST.compile(reader.connection, points)
    assert [(request.subject, request.tags) for request in requests] == [
        ("cpu of this machine", (0, 1)),
        ("disk./ of this machine", (2, 3)),
        ("disk./tmp of this machine", (4,)),
        ("net of this machine", (5,)),
    ]


async def test_a_disk_that_hangs_costs_its_own_tags_one_deadline_and_then_nothing(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()

    def hang(_source: Source, _item: str, _root: Path) -> Figures:
        let_go.wait(30)
        return {("/nfs", "percent"): 50.0}

    monkeypatch.setattr(host_session, "read_figures", hang)
    loop = asyncio.get_running_loop()
    for at_most_s in (1.0, 0.2):
        began = loop.time()
        with pytest.raises(RequestRefused, match=r"disk./nfs of this machine: no answer within 0.25 s") as caught:
            await reader.read(figure("disk./nfs.percent"))
        assert caught.value.quality is Quality.TIMEOUT
        assert loop.time() - began < at_most_s
    let_go.set()


async def test_what_the_system_refuses_to_say_is_said_in_words(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_source: Source, _item: str, _root: Path) -> Figures:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(host_session, "read_figures", refuse)
    with pytest.raises(RequestRefused, match=r"disk./root of this machine: Permission denied") as caught:
        await reader.read(figure("disk./root.percent"))
    assert caught.value.quality is Quality.DEVICE_ERROR


async def test_a_cancelled_read_leaves_the_session_usable(reader: Reader) -> None:
    for _ in range(3):
        cancelled = asyncio.create_task(reader.read(figure("disk./.percent"), figure("cpu.percent")))
        await asyncio.sleep(0)
        cancelled.cancel()
        await asyncio.wait([cancelled])
    assert (await reader.read(figure("disk./.percent"), figure("cpu.percent"))).bad == {}


async def test_a_thousand_reconnects_leak_nothing(reader: Reader) -> None:
    await reader.read(figure("disk./.percent"))
    files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
    for turn in range(1000):
        await reader.session.close()
        await reader.open()
        if turn % 100 == 0:
            await reader.read(figure("disk./.percent"))
    assert len(os.listdir("/proc/self/fd")) == files  # noqa: PTH208
    assert threading.active_count() <= threads + 1


async def test_nothing_of_the_machine_can_be_set(reader: Reader) -> None:
    with pytest.raises(Unwritable) as caught:
        HOST.encode(reader.connection, HOST.point(figure("uptime"), reader.connection), 0)
    assert caught.value.code == "not_writable"


@pytest.mark.parametrize(
    ("tag", "field"),
    [
        (spec("uptime", DataType.STRING), "data_type"),
        (spec("uptime", DataType.BOOL), "data_type"),
        (figure("uptime", length=2), "length"),
    ],
)
async def test_what_is_no_single_number_is_refused(reader: Reader, tag: TagSpec, field: str) -> None:
    with pytest.raises(Refused) as caught:
        HOST.point(tag, reader.connection)
    assert caught.value.field == field
