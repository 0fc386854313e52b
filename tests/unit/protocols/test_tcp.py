import asyncio
import errno
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from protocols.errors import ConnectFailed
from protocols.tcp import dial


async def failure(host: str, port: int = 502, timeout_s: float = 5) -> str:
    with pytest.raises(ConnectFailed) as caught:
        await dial(host, port, timeout_s, asyncio.Protocol)
    return str(caught.value)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "::ffff:169.254.169.254", "224.0.0.1", "255.255.255.255", "::", "fd00:ec2::254"]
)
async def test_addresses_that_no_plc_has_are_never_dialled(host: str) -> None:
    assert "which no PLC has" in await failure(host)


async def test_a_name_is_judged_by_what_it_resolves_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: answer)
    assert "plc.local:502 is 169.254.169.254" in await failure("plc.local")


async def test_an_unknown_name_is_said_to_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert await failure("plc.local") == "plc.local:502: the name 'plc.local' was not found (Name or service not known)"


@pytest.fixture
def hanging_name_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_more: released.wait(30) and [])
    yield
    released.set()
    for thread in threading.enumerate():
        if thread.name.startswith("look up"):
            thread.join(5)


@pytest.mark.usefixtures("hanging_name_server")
async def test_a_name_server_that_hangs_costs_the_timeout_and_no_more() -> None:
    began = time.monotonic()
    assert await failure("plc.local", timeout_s=0.1) == (
        "plc.local:502: no name server said within 0.1 s what 'plc.local' is"
    )
    assert time.monotonic() - began < 2


async def test_a_machine_that_does_not_answer_costs_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    async def silence(*_args: object, **_more: object) -> None:
        await asyncio.get_running_loop().create_future()

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", silence)
    assert await failure("10.0.0.1", timeout_s=0.05) == "10.0.0.1:502 did not accept a connection within 0.05 s"


@pytest.mark.parametrize("code", [errno.EHOSTUNREACH, errno.ENETUNREACH])
async def test_no_route_is_said_to_be_that(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    async def unreachable(*_args: object, **_more: object) -> None:
        raise OSError(code, "No route to host")

    monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", unreachable)
    assert await failure("10.0.0.1") == (
        "10.0.0.1:502 can not be reached: no way to that network or machine (No route to host)"
    )


async def test_the_next_address_of_a_name_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("127.0.0.2", "127.0.0.1")]
    plain = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *a, **k: found if host == "plc" else plain(host, *a, **k))
    closed = asyncio.get_running_loop().create_future()

    class Waits(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            closed.set_result(exc)

    assert isinstance(await dial("plc", port, 5, Waits), Waits)
    await closed
    server.close()
    await server.wait_closed()
