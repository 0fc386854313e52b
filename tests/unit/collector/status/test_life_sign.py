"""In a container: a file is renewed while all lives, and a process that hangs ends, so that Docker restarts it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector.cli.alive import look
from collector.clock import SystemClock
from collector.status.life_sign import LifeSign, age_s
from collector.status.service_manager import ServiceManager
from collector.status.watchdog import Watchdog
from tests.doubles.clock import FakeClock

HANGS = """\
import sys, time
from pathlib import Path
from collector.status import life_sign
life_sign.PATIENCE_S = float(sys.argv[2])
sign = life_sign.LifeSign(Path(sys.argv[1]), time.monotonic)
sign.renew()
if sys.argv[3] == "ends":
    sign.end()
time.sleep(float(sys.argv[4]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "alive"
    LifeSign(tmp_path / "alive", SystemClock().monotonic).end()


def hung(file: Path, patience_s: float, manner: str, sleep_s: float) -> subprocess.CompletedProcess[str]:
    """A process that renews once and then does nothing more."""
    arguments = [str(file), str(patience_s), manner, str(sleep_s)]
    return subprocess.run(
        [sys.executable, "-c", HANGS, *arguments], capture_output=True, text=True, check=False, timeout=20
    )


async def test_s19_the_watchdog_renews_the_file_while_all_lives(file: Path) -> None:
    async def lives() -> bool:
        return alive

    manager = ServiceManager({"ALIVE_FILE": str(file)})
    assert manager.watchdog_s == 60
    guard = Watchdog(manager, {"outbox": lives}, FakeClock())
    alive = False
    await guard.look()
    assert not file.exists()
    alive = True
    await guard.look()
    assert 0 <= age_s(file, SystemClock().monotonic) < 5
    manager.stopping()


def test_s19_health_is_the_age_of_the_file(file: Path) -> None:
    environ = {"ALIVE_FILE": str(file)}
    assert look(environ)[0] == 1
    now = SystemClock().monotonic()
    for age, status in ((0.5, 0), (50, 0), (70, 1), (-100, 1)):
        file.write_text(f"{now - age}\n", "ascii")
        assert look(environ)[0] == status, age
    file.write_text("", "ascii")
    assert look(environ)[0] == 1
    assert look({}) == (2, "ALIVE_FILE is not set: expected the file that the collector renews")


def test_the_walls_clock_has_no_say(file: Path) -> None:
    clock = FakeClock()
    LifeSign(file, clock.monotonic).renew()
    file.touch()
    assert age_s(file, lambda: clock.monotonic() + 30) == pytest.approx(30, abs=0.01)


def test_r2_what_hangs_says_where_and_ends(file: Path) -> None:
    done = hung(file, 0.3, "hangs", 15)
    assert done.returncode == 1
    assert "Timeout" in done.stderr
    assert 'File "<string>", line 9' in done.stderr


def test_r5_an_end_in_order_is_not_cut_short(file: Path) -> None:
    assert hung(file, 0.3, "ends", 0.8).returncode == 0


def test_a_file_that_can_not_be_written_costs_nothing_but_the_sign(tmp_path: Path) -> None:
    sign = LifeSign(tmp_path / "gone" / "alive", SystemClock().monotonic)
    sign.renew()
    sign.end()
