"""Opens TCP connections to devices, and says in plain words why one could not be opened."""

import asyncio
import contextlib
import errno
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextvars import ContextVar
from typing import TypeVar

from protocols.errors import ConnectFailed
from protocols.locations import Address, Network, objection

ProtocolT = TypeVar("ProtocolT", bound=asyncio.BaseProtocol)

DEVICE_NETWORKS: ContextVar[tuple[Network, ...]] = ContextVar("DEVICE_NETWORKS", default=())
"""The networks that devices may live in, for all that is dialled by tasks begun after it was set; () is any."""

_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_KEEPALIVE_S = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10}


async def dial(host: str, port: int, timeout_s: float, protocol: Callable[[], ProtocolT]) -> ProtocolT:
    """Connect `protocol` to a device within `timeout_s`, the look-up of its name included.

    Raises `ConnectFailed`: name unknown, address not allowed, refused, unreachable, or silence.
    """
    at = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    silence = f"{at}: no name server said within {timeout_s:g} s what {host!r} is"
    try:
        async with asyncio.timeout(timeout_s):
            addresses = await _addresses(host, at)
            silence = f"{at} did not accept a connection within {timeout_s:g} s"
            return await _first_that_answers(addresses, port, at, protocol)
    except TimeoutError:
        raise ConnectFailed(silence) from None


async def _first_that_answers(
    addresses: list[Address], port: int, at: str, protocol: Callable[[], ProtocolT]
) -> ProtocolT:
    loop = asyncio.get_running_loop()
    failure = ConnectFailed(f"{at} has no address")
    for address in addresses:
        try:
            transport, connected = await loop.create_connection(protocol, str(address), port)
        except OSError as error:
            failure = ConnectFailed(_why(error, at))
            continue
        _keep_alive(transport.get_extra_info("socket"))
        return connected
    raise failure


async def _addresses(host: str, at: str) -> list[Address]:
    try:
        found: list[Address] = [ipaddress.ip_address(host)]
    except ValueError:
        found = await _look_up(host, at)
    for address in found:
        reason = objection(address, DEVICE_NETWORKS.get())
        if reason is not None:
            raise ConnectFailed(f"{at} is {address}, {reason}")
    return found


async def _look_up(host: str, at: str) -> list[Address]:
    """In a thread of its own that nobody waits for: a name server that hangs must not hold up the exit."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def ask() -> None:
        try:
            infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            names = dict.fromkeys(str(info[4][0]).partition("%")[0] for info in infos)
            _tell(loop, answer, [ipaddress.ip_address(name) for name in names], None)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            _tell(loop, answer, [], ConnectFailed(f"{at}: the name {host!r} was not found ({reason})"))

    threading.Thread(target=ask, name=f"look up {host}", daemon=True).start()
    return await answer


def _tell(
    loop: asyncio.AbstractEventLoop,
    answer: asyncio.Future[list[Address]],
    addresses: list[Address],
    failure: ConnectFailed | None,
) -> None:
    def settle() -> None:
        if answer.done():
            return
        if failure:
            answer.set_exception(failure)
        else:
            answer.set_result(addresses)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(settle)


def _why(error: OSError, at: str) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"{at} refused the connection: the machine is there, but nothing listens on that port"
    if error.errno in _UNREACHABLE:
        return f"{at} can not be reached: no way to that network or machine ({error.strerror})"
    if isinstance(error, TimeoutError):
        return f"{at} did not accept a connection: nobody answers at that address"
    return f"{at}: {error.strerror or error}"


def _keep_alive(connected: socket.socket) -> None:
    with contextlib.suppress(OSError):  # a peer that hung up already is noticed by the first read
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in _KEEPALIVE_S.items():
            if hasattr(socket, option):
                connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
