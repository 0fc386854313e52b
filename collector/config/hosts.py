"""Which hosts a document may name: never a metadata or broadcast address, and only in the site's own networks.

What a name means is judged when it is resolved, on the address that is then used: see `protocols.tcp`.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Collection

from protocols.errors import Refused
from protocols.locations import Address, Network, objection

__all__ = ["Network", "check_host"]

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)", re.ASCII)
_NO_HOST = re.compile(r"[\s/\\#?@%\x00-\x1f\x7f]")


def check_host(host: str, networks: Collection[Network]) -> None:
    """Raises `Refused` on ``connection.host`` for an address no PLC can have or that is outside `networks`.

    So is what is read as an address by some and not by others (``0x7f.1``, ``2130706433``, ``192.168.010.5``), and
    what can be no host at all. A name passes.
    """
    plain = unicodedata.normalize("NFKC", host).strip().removesuffix(".")
    address = _address(plain)
    if address is not None:
        reason = objection(address, networks)
        if reason is not None:
            raise Refused("connection.host", f"{host} is an address {reason}; expected a PLC's own")
    elif _NUMBER.fullmatch(plain.rpartition(".")[2]):
        raise Refused("connection.host", f"{host} is neither a name nor an address; expected one like 192.168.1.10")
    elif _NO_HOST.search(plain) or ":" in plain:
        raise Refused("connection.host", f"{host[:80]!r} is no host; expected a name or an address alone")


def _address(plain: str) -> Address | None:
    try:
        return ipaddress.ip_address(plain.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
