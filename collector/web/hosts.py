"""By which names the page may be asked for: a web site elsewhere must not reach it through a name of its own."""

import ipaddress
import socket
from collections.abc import Iterable

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_loopback(host: str) -> bool:
    """Whether who listens there is heard on this machine only."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_wildcard(host: str) -> bool:
    """Whether it stands for every address of the machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False


class AllowedHosts:
    """The bound name and `HTTP_ALLOWED_HOSTS`; this machine by its loopback names in any case.

    Where the page listens on every address, each of them is its bound name: any IP address will do, for no name
    server has a say in it, and so will the machine's own name.
    """

    def __init__(self, bound: str, allowed: Iterable[str]) -> None:
        self._any_address = is_wildcard(bound)
        own = {socket.gethostname().lower()} if self._any_address else {bound.lower()}
        self._names = LOOPBACK_NAMES | own | {name.lower().strip("[]") for name in allowed}

    def allows(self, header: str) -> bool:
        """Whether a request with this Host header is for us."""
        name = name_of(header)
        return name in self._names or (self._any_address and _is_address(name))


def name_of(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.rpartition(":")[0].lower() if header.count(":") == 1 else header.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
