"""Which hosts a device may live at: never a metadata or broadcast address, and only in the site's own networks."""

import ipaddress
from collections.abc import Collection

from protocols.errors import Refused

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_BROADCAST = ipaddress.IPv4Address("255.255.255.255")


def check_host(host: str, networks: Collection[Network]) -> None:
    """Raises `Refused` on ``connection.host`` for a literal address no PLC can have or that is outside `networks`.

    A name passes: what it means is only known when it is resolved.
    """
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return
    plain = _unmapped(address)
    if plain.is_link_local or plain.is_multicast or plain.is_unspecified or plain == _BROADCAST:
        raise Refused(
            "connection.host", f"{host} is a link-local, multicast or broadcast address; expected a PLC's own"
        )
    if networks and not any(plain in network for network in networks):
        allowed = ", ".join(str(network) for network in networks)
        raise Refused("connection.host", f"{host} is outside DEVICE_NETWORKS ({allowed})")


def _unmapped(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
