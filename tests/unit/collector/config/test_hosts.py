"""Sixty ways to spell a host that is not to be spoken to, and some of those that are."""

import asyncio
import ipaddress
import json
import socket

import pytest

from collector.config.hosts import Network
from collector.config.planner import PlanOptions, plan_document
from fleet_client.reading import read_document
from protocols.errors import ConnectFailed
from protocols.tcp import DEVICE_NETWORKS, dial

PLANT: tuple[Network, ...] = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd12::/16"))

NOBODYS = [
    "169.254.169.254", "169.254.0.1", "169.254.169.254.", "[::ffff:169.254.169.254]", "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe", "0:0:0:0:0:ffff:a9fe:a9fe", "::169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe",
    "2002:a9fe:a9fe::", "2001:0:4136:e378:8000:63bf:5601:5601", "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "2852039166",
    "025177524776", "0251.0376.0251.0376", "169.16689662", "169.254.43518", "169.254.169.0xfe",
    "１６９.２５４.１６９.２５４", "169。254。169。254", "①69.254.169.254", "fe80::1", "fe80::1%eth0", "fd00:ec2::254",
    "[fd00:ec2::254]", "224.0.0.1",
    "239.255.255.250", "ff02::1", "255.255.255.255", "0xffffffff", "4294967295", "0.0.0.0", "0",  # noqa: S104
    "::", "[::]", "0x0",
    "::ffff:0.0.0.0", "::ffff:255.255.255.255", "::ffff:224.0.0.1",
]  # fmt: skip
OUTSIDE = [
    "127.0.0.1", "0x7f.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "017700000001", "0177.0.0.1", "127.0.0.1.",
    "[::ffff:127.0.0.1]", "::ffff:7f00:1", "::1", "[::1]", "0:0:0:0:0:0:0:1", "localhost", "LOCALHOST", "localhost.",
    "192.168.1.10", "192.168.010.010", "8.8.8.8", "2002:7f00:1::", "64:ff9b::7f00:1", "::127.0.0.1", "１２７.０.０.１",
    "fd00::1", "10.1", "0xa.0.0.1",
]  # fmt: skip
NO_HOSTS = [
    "", " ", "http://10.0.0.1", "10.0.0.1/24", "10.0.0.1:502", "user@10.0.0.1", "10.0.0.1#", "10.0.0.1?x", "10.0.0.1\\",
    "10.0.0.1 10.0.0.2", "10.0.0.1\r\nX: 1", "10.0.0.1\0", "10.0.0.256", "10.0.0.0.1", "999", "%31%30.0.0.1", "a..b",
    "x" * 300,
]  # fmt: skip


async def reached(host: str, networks: tuple[Network, ...], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a device of this host would really be connected to."""
    dialled: list[str] = []

    async def connect(_protocol: object, address: str, _port: int) -> None:
        dialled.append(address)
        raise ConnectionRefusedError

    tags = [{"name": "a", "address": "40001", "data_type": "UINT16"}]
    device = {"id": "1", "protocol": "modbus_tcp", "connection": {"host": host}, "tags": tags}
    read = read_document(json.dumps({"devices": [device]}).encode(), expected_edge_ids=None)
    for planned in plan_document(read, PlanOptions("edge-1", device_networks=networks)).devices:
        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", connect)
        DEVICE_NETWORKS.set(networks)
        assert planned.connection.host is not None
        with pytest.raises(ConnectFailed):
            await dial(planned.connection.host, 502, 2, asyncio.Protocol)
    return dialled


@pytest.mark.parametrize("host", NOBODYS)
async def test_s12_no_spelling_reaches_an_address_that_no_plc_has(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reached(host, (), monkeypatch) == []
    assert await reached(host, PLANT, monkeypatch) == []


@pytest.mark.parametrize("host", OUTSIDE)
async def test_s12_no_spelling_leaves_the_sites_networks(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reached(host, PLANT, monkeypatch) == []


async def test_s12_leading_zeros_are_decimal_for_the_judge_and_for_the_dial(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reached("010.000.000.001", PLANT, monkeypatch) == ["10.0.0.1"]


@pytest.mark.parametrize("host", NO_HOSTS)
async def test_s12_what_is_no_host_reaches_nobody(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await reached(host, (), monkeypatch) == []


def test_s12_there_are_sixty_spellings_at_least() -> None:
    assert len({*NOBODYS, *OUTSIDE, *NO_HOSTS}) >= 60


@pytest.mark.parametrize(
    ("host", "address"),
    [("10.1.2.3", "10.1.2.3"), (" 10.1.2.3 ", "10.1.2.3"), ("[fd12::5]", "fd12::5"), ("FD12:0::5", "fd12::5")],
)
async def test_s12_the_sites_own_addresses_are_reached(
    host: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await reached(host, PLANT, monkeypatch) == [address]
    assert await reached(host, (), monkeypatch) == [address]


async def test_s12_a_name_is_judged_on_the_address_that_is_then_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that answers otherwise the second time is not asked a second time."""
    answers = iter(["10.0.0.5", "169.254.169.254", "192.168.1.1"])

    def rebinding(*_args: object, **_more: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    assert await reached("plc.local", PLANT, monkeypatch) == ["10.0.0.5"]
    assert await reached("plc.local", PLANT, monkeypatch) == []
    assert await reached("plc.local", PLANT, monkeypatch) == []


async def test_s12_one_bad_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("10.0.0.5", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: both)
    assert await reached("plc.local", (), monkeypatch) == []
