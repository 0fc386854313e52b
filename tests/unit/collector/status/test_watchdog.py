"""The service manager hears of the process for as long as everything in it lives, and no longer."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.status import watchdog
from collector.status.service_manager import ServiceManager
from collector.status.watchdog import Watchdog
from tests.doubles.clock import FakeClock


class Systemd:
    """The socket of a service manager."""

    def __init__(self, folder: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.path = folder / "notify"
        self._socket.bind(str(self.path))
        self._socket.setblocking(False)

    def heard(self) -> list[str]:
        words = []
        while True:
            try:
                words.append(self._socket.recv(100).decode())
            except BlockingIOError:
                return words

    def manager(self, **environ: str) -> ServiceManager:
        return ServiceManager({"NOTIFY_SOCKET": str(self.path), **environ})

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[Systemd]:
    systemd = Systemd(tmp_path)
    yield systemd
    systemd.close()


async def lives() -> bool:
    return True


async def hangs() -> bool:
    await asyncio.Event().wait()
    return True


async def test_r2_a_process_in_which_all_lives_says_so(systemd: Systemd) -> None:
    await Watchdog(systemd.manager(), {"outbox": lives, "publisher": lives}, FakeClock()).look()
    assert systemd.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize("dead", ["outbox", "publisher"])
async def test_r2_one_part_that_hangs_silences_the_process(
    systemd: Systemd, dead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "SIGN_WITHIN_S", 0.01)
    signs = {"outbox": lives, "publisher": lives, dead: hangs}
    guard = Watchdog(systemd.manager(), signs, FakeClock())
    await guard.look()
    assert systemd.heard() == []
    signs[dead] = lives
    await guard.look()
    assert systemd.heard() == ["WATCHDOG=1"]


async def test_r2_a_held_up_loop_says_nothing_by_itself(systemd: Systemd) -> None:
    guard = Watchdog(systemd.manager(WATCHDOG_USEC="30000"), {}, FakeClock())
    running = asyncio.create_task(guard.run())
    async with asyncio.timeout(5):
        while not systemd.heard():
            await asyncio.sleep(0.001)
    assert systemd.heard() == [], "nothing runs while the loop does not"
    running.cancel()


def test_patience_is_that_of_this_process_only(systemd: Systemd) -> None:
    assert systemd.manager(WATCHDOG_USEC="60000000").watchdog_s == 60
    assert systemd.manager(WATCHDOG_USEC="60000000", WATCHDOG_PID=str(os.getpid())).watchdog_s == 60
    assert systemd.manager(WATCHDOG_USEC="60000000", WATCHDOG_PID="1").watchdog_s is None
    assert systemd.manager(WATCHDOG_USEC="soon").watchdog_s is None
    assert ServiceManager({"WATCHDOG_USEC": "60000000"}).watchdog_s is None


async def test_where_nobody_watches_nothing_is_done() -> None:
    manager = ServiceManager({})
    manager.ready()
    await Watchdog(manager, {"outbox": hangs}, FakeClock()).run()


def test_a_service_manager_that_is_gone_costs_nothing(tmp_path: Path) -> None:
    ServiceManager({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()
