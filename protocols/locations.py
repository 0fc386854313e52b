"""Which addresses a device can have at all, and which the site allows, however they are spelt."""

import ipaddress
from collections.abc import Collection, Iterator
from typing import TypeAlias

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_METADATA = ipaddress.IPv6Address("fd00:ec2::254")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_CARRIERS = tuple(ipaddress.IPv6Network(prefix) for prefix in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))


def objection(address: Address, networks: Collection[Network]) -> str | None:
    """Why no device may be spoken to at this address; None if it may. An empty `networks` allows all."""
    reached = tuple(_reached(address))
    if any(_is_nobodys(each) for each in reached):
        return "which no PLC has: link-local, multicast, broadcast or metadata"
    if networks and not any(reached[-1] in network for network in networks):
        return f"outside DEVICE_NETWORKS ({', '.join(map(str, networks))})"
    return None


def _reached(address: Address) -> Iterator[Address]:
    """The address, and the IPv4 address that it carries, if it does."""
    yield address
    if isinstance(address, ipaddress.IPv4Address):
        return
    carried = address.ipv4_mapped or address.sixtofour
    if carried is None and address.teredo is not None:
        carried = address.teredo[1]
    if carried is None and int(address) > 1 and any(address in carrier for carrier in _CARRIERS):
        carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if carried is not None:
        yield carried


def _is_nobodys(address: Address) -> bool:
    named = address.is_link_local or address.is_multicast or address.is_unspecified
    return named or address in (_BROADCAST, _METADATA)
