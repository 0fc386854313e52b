"""The gateway's figures by name: ``cpu.percent``, ``disk./.percent``, ``net.eth0.bytes_sent``."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from protocols.errors import Refused


class Source(StrEnum):
    """What is asked at once, by the first word of the address."""

    CPU = "cpu"
    LOAD = "load"
    MEMORY = "memory"
    SWAP = "swap"
    DISK = "disk"
    DISK_IO = "disk_io"
    NET = "net"
    CONNECTIONS = "net.connections"
    TEMPERATURE = "temperature"
    UPTIME = "uptime"


@dataclass(frozen=True, slots=True)
class HostAddress:
    """A figure of a source. `item` is which processor, mount point, disk or interface, empty where there is but one."""

    source: Source
    item: str
    figure: str


FIGURES: Mapping[Source, tuple[str, ...]] = {
    Source.CPU: ("percent",),
    Source.LOAD: ("1", "5", "15"),
    Source.MEMORY: ("percent", "total", "available", "used", "free"),
    Source.SWAP: ("percent", "total", "used", "free"),
    Source.DISK: ("percent", "total", "used", "free", "inodes_percent"),
    Source.DISK_IO: ("read_bytes", "write_bytes", "read_count", "write_count", "read_time", "write_time"),
    Source.NET: (
        "bytes_sent", "bytes_recv", "packets_sent", "packets_recv", "errors_in", "errors_out", "dropped_in",
        "dropped_out",
    ),
    Source.CONNECTIONS: (
        "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close", "close_wait",
        "last_ack", "listen", "closing", "total",
    ),
}  # fmt: skip
"""The last words each source knows; a temperature's is its sensor, and the uptime has none."""

_WITH_ITEM = frozenset({Source.DISK, Source.DISK_IO, Source.NET})
_EXPECTED = (
    "cpu.percent, cpu.0.percent, load.1, memory.percent, swap.percent, disk./.percent, disk_io.sda.read_bytes, "
    "net.eth0.bytes_sent, net.connections.established, temperature.cpu, uptime, …"
)


def parse_address(text: str) -> HostAddress:
    """The figure that an address names, whether this machine has it or not. Raises `Refused` on ``address``.

    Items are taken as they are, dots included: ``disk./mnt/data.1.percent``, ``net.eth0.100.bytes_sent``.
    """
    text = text.strip()
    first, _, rest = text.partition(".")
    source = _source(text, first.lower(), rest)
    if source is Source.UPTIME:
        if rest:
            raise Refused("address", f"{text!r} is no figure of this machine; expected uptime and nothing after it")
        return HostAddress(source, "", "")
    if source is Source.CONNECTIONS:
        rest = rest.partition(".")[2]
    item, _, figure = rest.rpartition(".")
    if source is Source.TEMPERATURE:
        return HostAddress(source, "", _known_sensor(text, rest))
    figure = figure.lower()
    if figure not in FIGURES[source]:
        known = ", ".join(FIGURES[source])
        raise Refused("address", f"{text!r} names no figure of {source}; expected one of {known} at its end")
    _check_item(text, source, item)
    return HostAddress(source, item, figure)


def _source(text: str, first: str, rest: str) -> Source:
    if first == Source.NET and rest.lower().startswith("connections."):
        return Source.CONNECTIONS
    try:
        return Source(first)
    except ValueError:
        raise Refused("address", f"{text!r} is no figure of this machine; expected {_EXPECTED}") from None


def _known_sensor(text: str, sensor: str) -> str:
    if not sensor:
        raise Refused("address", f"{text!r} names no sensor; expected temperature.cpu or temperature. and a sensor")
    return sensor


def _check_item(text: str, source: Source, item: str) -> None:
    if source is Source.CPU:
        if item and not (item.isascii() and item.isdigit()):
            raise Refused("address", f"{text!r} names no processor; expected cpu.percent, cpu.0.percent, cpu.1.percent")
    elif source in _WITH_ITEM and not item:
        raise Refused("address", f"{text!r} does not say which; expected e.g. {_example(source)}")
    elif source not in _WITH_ITEM and item:
        raise Refused("address", f"{text!r} has {item!r} where nothing stands; expected {_example(source)}")


def _example(source: Source) -> str:
    item = {Source.DISK: "/.", Source.DISK_IO: "sda.", Source.NET: "eth0."}.get(source, "")
    return f"{source}.{item}{FIGURES[source][0]}"
