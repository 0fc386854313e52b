"""Row S20: the service of systemd has few rights, and is there only when it can run."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from collector.cli.install_service import Service, install, this_program, uninstall
from tests.doubles.documentation import ROOT

PR_SET_MDWE = 65


class Systemd:
    """Notes what it is told, and refuses what it is told to."""

    def __init__(self, refuses: str = "") -> None:
        self.told: list[tuple[str, ...]] = []
        self._refuses = refuses

    def __call__(self, *words: str) -> bool:
        self.told.append(words)
        return words[0] != self._refuses


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / ".env"
    file.touch()
    return file


@pytest.fixture
def console() -> Console:
    return Console(file=StringIO(), soft_wrap=True)


def said(console: Console) -> str:
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def service(settings: Path, *, serial: bool = False) -> Service:
    return Service(Path("/usr/bin/python3"), settings, serial)


def values(unit: str) -> dict[str, str]:
    """Each setting, the last of its name."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))


def analyser() -> str:
    """Where systemd-analyze is; skips without it, fails in CI."""
    found = shutil.which("systemd-analyze")
    if found is None and os.environ.get("CI"):
        pytest.fail("systemd-analyze is not installed, and CI insists on it: apt-get install systemd")
    if found is None:
        pytest.skip("systemd-analyze is not installed; to run this test too: apt-get install systemd")
    return found


@pytest.mark.parametrize("serial", [False, True])
def test_s20_its_exposure_is_at_most_2(tmp_path: Path, serial: bool) -> None:
    unit = tmp_path / "edge-collector.service"
    unit.write_text(service(Path("/etc/hostname"), serial=serial).unit(), "ascii")
    analyse = analyser()
    done = subprocess.run(
        [analyse, "security", "--no-pager", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
    version = subprocess.run([analyse, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    page = (ROOT / "docs" / "systemd.md").read_text("utf-8")
    ((judge, *told),) = re.findall(r"of systemd (\d+) says ([\d.]+), with `--serial` ([\d.]+)", page)
    assert version != judge or f"exposure level for {unit.name}: {told[serial]} " in done.stdout
    verified = subprocess.run([analyse, "verify", str(unit)], capture_output=True, text=True, check=False)
    assert verified.stderr == "", "a line that systemd does not understand is one that it ignores"


def test_s20_what_the_unit_promises() -> None:
    unit = values(service(Path("/etc/edge-collector/.env")).unit())
    wanted = {
        "Type": "notify", "WatchdogSec": "60", "Restart": "always", "DynamicUser": "yes", "UMask": "0077",
        "StateDirectory": "edge-collector", "StartLimitIntervalSec": "0", "ProtectSystem": "strict",
        "CapabilityBoundingSet": "", "MemoryDenyWriteExecute": "yes", "PrivateDevices": "yes",
    }  # fmt: skip
    assert {name: unit.get(name) for name in wanted} == wanted
    text = service(Path("/etc/edge-collector/.env")).unit()
    assert "Environment=START_JITTER_SEC=30\n" in text
    assert "LoadCredential=settings:/etc/edge-collector/.env\n" in text
    assert "DeviceAllow" not in text
    assert "network-online.target" not in text, "polling would wait for a network that may not come"


def test_s20_serial_lines_are_the_only_devices() -> None:
    unit = service(Path("/etc/x"), serial=True).unit()
    allowed = re.findall(r"^DeviceAllow=(\S+) rw$", unit, re.MULTILINE)
    assert allowed
    assert all(each.startswith("char-tty") for each in allowed)
    assert values(unit)["DevicePolicy"] == "closed"


def test_s20_every_package_works_without_memory_that_can_be_written_and_run() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    imports = "; ".join(
        f"import {name}"
        for name in ("asyncua", "cryptography.hazmat.primitives.asymmetric.rsa", "uvloop", "orjson", "pydantic",
                     "psutil", "yaml", "snap7", "paho.mqtt.client", "httpx", "sqlite_utils", "serial", "structlog",
                     "collector.app")
    )  # fmt: skip
    probe = f"{imports}; uvloop.new_event_loop().close(); print(cryptography.__version__)"

    def deny() -> None:
        if libc.prctl(PR_SET_MDWE, 1, 0, 0, 0):
            os._exit(77)

    done = subprocess.run(
        [sys.executable, "-c", probe], preexec_fn=deny, cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 77:
        pytest.skip("this kernel is older than 6.3, so that no process can give it up by itself")
    assert done.returncode == 0, done.stderr


def test_it_is_written_and_started(tmp_path: Path, settings: Path, console: Console) -> None:
    systemd = Systemd()
    assert install(service(settings), console, units=tmp_path, tell=systemd) == 0
    unit = tmp_path / "edge-collector.service"
    assert unit.read_text("ascii") == service(settings).unit()
    assert unit.stat().st_mode & 0o777 == 0o644
    assert systemd.told == [("daemon-reload",), ("enable", "edge-collector"), ("restart", "edge-collector")]
    assert uninstall(console, units=tmp_path, tell=systemd) == 0
    assert not unit.exists()
    assert systemd.told[3:] == [("disable", "--now", "edge-collector"), ("daemon-reload",)]


def test_dry_it_is_printed_and_nothing_is_changed(
    tmp_path: Path, settings: Path, console: Console, capsys: pytest.CaptureFixture[str]
) -> None:
    systemd = Systemd()
    assert install(service(settings), console, units=tmp_path, dry_run=True, tell=systemd) == 0
    assert capsys.readouterr().out == service(settings).unit()
    assert (systemd.told, list(tmp_path.glob("*.service"))) == ([], [])


@pytest.mark.parametrize(
    ("python", "code", "words"),
    [
        ("/home/kim/venv/bin/python", (), "below /home"),
        ("/opt/x/bin/python", (Path("/root/.pyenv/versions/3.11"),), "below /root"),
        ("/opt/my venv/bin/python", (), "without spaces"),
    ],
)
def test_what_the_service_could_not_see_is_not_installed(
    tmp_path: Path, settings: Path, console: Console, python: str, code: tuple[Path, ...], words: str
) -> None:
    systemd = Systemd()
    assert install(Service(Path(python), settings, code=code), console, units=tmp_path, tell=systemd) == 1
    assert words in said(console)
    assert (systemd.told, list(tmp_path.glob("*.service"))) == ([], [])


def test_without_settings_nothing_is_installed(tmp_path: Path, console: Console) -> None:
    assert install(service(tmp_path / "none"), console, units=tmp_path, tell=Systemd()) == 1
    assert "copy .env.example there" in said(console)


@pytest.mark.parametrize("refused", ["daemon-reload", "enable", "restart"])
def test_a_systemd_that_refuses_is_told(tmp_path: Path, settings: Path, console: Console, refused: str) -> None:
    assert install(service(settings), console, units=tmp_path, tell=Systemd(refused)) == 1
    assert "systemctl status edge-collector" in said(console)


def test_a_folder_that_can_not_be_written_is_told(tmp_path: Path, settings: Path, console: Console) -> None:
    assert install(service(settings), console, units=tmp_path / "gone", tell=Systemd()) == 1
    assert "run it as root" in said(console)
    assert uninstall(console, units=tmp_path / "gone", tell=Systemd()) == 1


def test_all_that_is_read_to_run_it_is_looked_at() -> None:
    code = this_program(Path("x"), serial=False).code
    assert {Path(sys.prefix), Path(sys.base_prefix), ROOT / "collector"} <= set(code)
