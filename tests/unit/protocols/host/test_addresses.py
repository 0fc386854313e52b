"""The names of a machine's figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import Refused
from protocols.host.addresses import HostAddress, Source, parse_address
from protocols.registry import driver


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("cpu.percent", HostAddress(Source.CPU, "", "percent")),
        (" CPU.0.Percent ", HostAddress(Source.CPU, "0", "percent")),
        ("load.15", HostAddress(Source.LOAD, "", "15")),
        ("memory.available", HostAddress(Source.MEMORY, "", "available")),
        ("swap.percent", HostAddress(Source.SWAP, "", "percent")),
        ("disk./.percent", HostAddress(Source.DISK, "/", "percent")),
        ("disk./mnt/Data.1.inodes_percent", HostAddress(Source.DISK, "/mnt/Data.1", "inodes_percent")),
        ("disk_io.sda.read_bytes", HostAddress(Source.DISK_IO, "sda", "read_bytes")),
        ("net.eth0.bytes_sent", HostAddress(Source.NET, "eth0", "bytes_sent")),
        ("net.eth0.100.errors_in", HostAddress(Source.NET, "eth0.100", "errors_in")),
        ("net.connections.established", HostAddress(Source.CONNECTIONS, "", "established")),
        ("temperature.cpu", HostAddress(Source.TEMPERATURE, "", "cpu")),
        ("uptime", HostAddress(Source.UPTIME, "", "")),
    ],
)
def test_figures_by_name(text: str, address: HostAddress) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no figure of this machine"),
        ("40001", "expected cpu.percent"),
        ("cpu.load", "expected one of percent"),
        ("cpu.first.percent", "names no processor"),
        ("disk.percent", "expected e.g. disk./.percent"),
        ("net.bytes_sent", "expected e.g. net.eth0.bytes_sent"),
        ("memory.0.percent", "has '0' where nothing stands"),
        ("net.connections.open", "established"),
        ("temperature.", "names no sensor"),
        ("uptime.days", "nothing after it"),
    ],
)
def test_what_is_no_figure_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words) as caught:
        parse_address(text)
    assert caught.value.field == "address"
    assert not driver("host").fits(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    assert driver("host").fits(text) == bool(_parsed(text))


def _parsed(text: str) -> HostAddress | None:
    try:
        return parse_address(text)
    except Refused:
        return None
