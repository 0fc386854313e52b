"""`edge-collector install-service`: the collector as a hardened service of systemd."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markup import escape

import collector

NAME = "edge-collector"
SETTINGS = Path("/etc/edge-collector/.env")
UNITS = Path("/etc/systemd/system")
EXIT_NOT_DONE = 1
_HIDDEN = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108 - places the service can not see

_UNIT = """\
# Written by: edge-collector install-service. Changes of your own: systemctl edit {name}
[Unit]
Description=Edge collector: polls PLCs, publishes by MQTT
# Not network-online, nor time-sync: a plant may have neither, and its PLCs are polled all the same.
After=network.target
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={python} -P -m collector run --env-file ${{CREDENTIALS_DIRECTORY}}/settings
# Read by systemd as root, so the file needs no other reader than root.
LoadCredential=settings:{settings}
Environment=DATA_DIR=/var/lib/{name}
Environment=START_JITTER_SEC=30
Environment=PYTHONDONTWRITEBYTECODE=1
StateDirectory={name}
StateDirectoryMode=0700
WorkingDirectory=/var/lib/{name}
# A damaged outbox is read page by page before it is ready.
TimeoutStartSec=10min
WatchdogSec=60
# It ends by itself within 8 s.
TimeoutStopSec=15
Restart=always
RestartSec=5
OOMScoreAdjust=-200
MemoryMax=512M
TasksMax=256

DynamicUser=yes
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
DevicePolicy=closed
{devices}
[Install]
WantedBy=multi-user.target
"""

_NO_DEVICES = """\
PrivateDevices=yes
PrivateUsers=yes
"""
_SERIAL_PORTS = """\
# Serial lines, and no other device.
PrivateDevices=no
DeviceAllow=char-ttyS rw
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyAMA rw
SupplementaryGroups=dialout
"""


@dataclass(frozen=True, slots=True)
class Service:
    """What is to run: the Python that has the collector, and its settings. `serial` lets it use serial lines.

    `code` is all that is read to run it.
    """

    python: Path
    settings: Path = SETTINGS
    serial: bool = False
    code: tuple[Path, ...] = ()

    def unit(self) -> str:
        """The unit file."""
        devices = _SERIAL_PORTS if self.serial else _NO_DEVICES
        return _UNIT.format(name=NAME, python=self.python, settings=self.settings, devices=devices)

    def objection(self) -> str | None:
        """Why it could not run; None where it can."""
        spaced = next((path for path in (self.python, self.settings) if set(str(path)) & set(" %\"'\\$")), None)
        if spaced is not None:
            return f"{spaced} has a character that a unit file can not carry: expected a path without spaces"
        for path in (self.python, *self.code):
            if hidden := next((place for place in _HIDDEN if path.is_relative_to(place)), None):
                remedy = f"install into /opt/{NAME}, with a Python of the system (install.sh --python /usr/bin/python3)"
                return f"{path} is below {hidden}, which the service can not see: {remedy}"
        if not self.settings.is_file():
            return f"there is no {self.settings}: copy .env.example there, fill it in, chmod 600"
        return None


def this_program(settings: Path, *, serial: bool) -> Service:
    """The service of the installation that is asked."""
    code = (Path(sys.prefix), Path(sys.base_prefix), Path(collector.__file__).parent)
    return Service(Path(sys.executable), settings.absolute(), serial, code)


Systemctl = Callable[..., bool]


def systemctl(*words: str) -> bool:
    """Whether systemd did it. What it has to say goes to standard error."""
    found = shutil.which("systemctl")
    return found is not None and subprocess.run([found, *words], check=False).returncode == 0  # noqa: S603


def install(
    service: Service, console: Console, *, units: Path = UNITS, dry_run: bool = False, tell: Systemctl = systemctl
) -> int:
    """Write the unit, have it started now and at each boot; returns the exit status. `dry_run` only prints it.

    What is to be said goes to `console`, which is not standard output.
    """
    if dry_run:
        sys.stdout.write(service.unit())
    if objection := service.objection():
        return _not_done(console, objection)
    if dry_run:
        return 0
    file = units / f"{NAME}.service"
    try:
        _write(file, service.unit())
    except OSError as error:
        return _not_done(console, f"{file} can not be written: {error.strerror}; run it as root")
    if not (tell("daemon-reload") and tell("enable", NAME) and tell("restart", NAME)):
        return _not_done(console, f"{file} is written, but systemd did not start it: systemctl status {NAME}")
    console.print(f"{escape(str(file))} is written and started. Its log: journalctl -u {NAME} -f")
    return 0


def uninstall(console: Console, *, units: Path = UNITS, tell: Systemctl = systemctl) -> int:
    """Stop it and take the unit away; its data and settings stay. Returns the exit status."""
    file = units / f"{NAME}.service"
    if not file.exists():
        return _not_done(console, f"there is no {file}")
    stopped = tell("disable", "--now", NAME)
    try:
        file.unlink()
    except OSError as error:
        return _not_done(console, f"{file} can not be removed: {error.strerror}; run it as root")
    if not (stopped and tell("daemon-reload")):
        return _not_done(console, f"{file} is removed, but systemd did not stop it: systemctl status {NAME}")
    console.print(f"Removed. What it kept is still in /var/lib/{NAME}, its settings in {SETTINGS.parent}.")
    return 0


def _write(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text, encoding="ascii")
    draft.chmod(0o644)
    draft.replace(file)


def _not_done(console: Console, reason: str) -> int:
    console.print(f"[red]error:[/] {escape(reason)}")
    return EXIT_NOT_DONE
