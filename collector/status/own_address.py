"""By which address the gateway is known in its plant."""

import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import pairwise
from pathlib import Path

import psutil

ROUTES = Path("/proc/net/route")
_ANYWHERE = IPv4Network("0.0.0.0/0")
_ONE_OF_OURS = "/32 host LOCAL"


def own_address() -> str:
    """The IPv4 address of the interface that holds the default route, else the first that is not loopback."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    addresses = {
        name: entry.address
        for name, entries in psutil.net_if_addrs().items()
        for entry in entries
        if name in up and entry.family == socket.AF_INET and not entry.address.startswith("127.")
    }
    first = next(iter(addresses.values()), "127.0.0.1")
    return addresses.get(_default_interface() or "", first)


def address_of_host(proc: Path) -> str | None:
    """The same of the machine whose ``/proc`` is mounted here, from a container; None where that does not say it."""
    try:
        routes = list(_routes(proc / "1/net/route"))
        ours = _local_addresses(proc / "1/net/fib_trie")
    except (OSError, ValueError, IndexError):
        return None
    outward = next((interface for interface, network in routes if network == _ANYWHERE), None)
    beside = [network for interface, network in routes if interface == outward and network != _ANYWHERE]
    return next((str(address) for address in ours if any(address in network for network in beside)), None)


def _default_interface() -> str | None:
    try:
        return next((interface for interface, network in _routes(ROUTES) if network == _ANYWHERE), None)
    except (OSError, ValueError, IndexError):
        return None


def _routes(table: Path) -> Iterator[tuple[str, IPv4Network]]:
    """Interface and destination of each route, the kernel's figures being hexadecimal and least byte first."""
    for row in table.read_text(encoding="ascii").splitlines()[1:]:
        columns = row.split()
        destination, mask = (IPv4Address(bytes.fromhex(columns[position])[::-1]) for position in (1, 7))
        yield columns[0], IPv4Network((destination, str(mask)))


def _local_addresses(trie: Path) -> list[IPv4Address]:
    """The machine's own addresses: each stands in the line above the one that says so."""
    lines = [line.strip() for line in trie.read_text(encoding="ascii").splitlines()]
    return [IPv4Address(above.removeprefix("|-- ")) for above, line in pairwise(lines) if line == _ONE_OF_OURS]
