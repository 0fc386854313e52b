"""The service that `install-service` installed, for commands that look at a collector without being told which."""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from collector.cli.install_service import NAME, SETTINGS, UNITS
from collector.settings.envfile import DEFAULT

CREDENTIALS = f"/run/credentials/{NAME}.service"
_MEANS_ANOTHER = ("DEVICE_ID", "EDGE_ID", "EDGE_SERVER_URL", "EDGE_CONFIG_FILE", "MQTT_BROKER_URL")


@dataclass(frozen=True, slots=True)
class InstalledService:
    """What its unit says, with the site's own additions (`systemctl edit`). Credentials stand as the files they are.

    Where there are its settings and no unit yet, as `install.sh` leaves it, it is what the unit will say.
    """

    said_by: str
    settings: Path
    environment: Mapping[str, str]


def installed_service(units: Path, settings: Path) -> InstalledService | None:
    """The service whose unit is in this folder, else the one that is to have these settings; None where neither is.

    None too for a unit that `install-service` did not write. Raises nothing.
    """
    unit = units / f"{NAME}.service"
    if _is_there(unit):
        return _read(unit)
    if _is_there(settings):
        return InstalledService("a service that is not installed", settings, {"DATA_DIR": f"/var/lib/{NAME}"})
    return None


def settings_at_hand(
    env_file: Path | None, console: Console, units: Path = UNITS, settings: Path = SETTINGS
) -> Path | None:
    """The settings file of a command that looks at a collector; None is `.env` here, as it is for `run`.

    It is the service's where nothing else is named: no `env_file`, no `.env` here, none of the variables without which
    nothing runs. Then, and where its very file is named, the service's own variables count too, behind those of this
    process. Of a machine with a service it is said which file was taken.
    """
    service = installed_service(units, settings)
    if service is None:
        return env_file
    named = env_file or (DEFAULT if _is_there(DEFAULT) else None)
    by_environment = named is None and any(map(os.environ.get, _MEANS_ANOTHER))
    if by_environment or (named is not None and not _same(named, service.settings)):
        taken = f"{named} here" if named is DEFAULT else str(named or "the environment")
        _say(console, f"settings: {taken}; those of the service: --env-file {service.settings}")
        return env_file
    for name, text in service.environment.items():  # as systemd does it, before the service reads its settings
        os.environ[name] = os.environ.get(name) or text
    readable = os.access(service.settings, os.R_OK)
    _say(console, f"settings: {service.settings}, of {service.said_by}{'' if readable else '; run it as root (sudo)'}")
    return service.settings


def _read(unit: Path) -> InstalledService | None:
    credentials: dict[str, str] = {}
    environment: dict[str, str] = {}
    for name, value in _assignments([unit, *sorted(unit.with_name(f"{unit.name}.d").glob("*.conf"))]):
        match name:
            case "LoadCredential" if not value:
                credentials.clear()
            case "LoadCredential":
                key, _, path = value.partition(":")
                credentials[key] = path
            case "Environment" if not value:
                environment.clear()
            case "Environment":
                environment |= dict(_pairs(value))
    if "settings" not in credentials:
        return None
    files = {f"{CREDENTIALS}/{key}": path for key, path in credentials.items()}
    seen = {name: files.get(text, text) for name, text in environment.items()}
    return InstalledService(str(unit), Path(credentials["settings"]), seen)


def _say(console: Console, line: str) -> None:
    console.print(Text(line, "dim"), soft_wrap=True)


def _is_there(file: Path) -> bool:
    return os.access(file, os.F_OK)


def _same(named: Path, settings: Path) -> bool:
    try:
        return named.samefile(settings)
    except OSError:
        return named.absolute() == settings


def _assignments(files: list[Path]) -> Iterator[tuple[str, str]]:
    for file in files:
        try:
            text = file.read_text("utf-8", "replace")
        except OSError:
            continue
        for line in text.replace("\\\n", " ").splitlines():
            name, assigned, value = line.partition("=")
            if assigned:
                yield name.strip(), value.strip()


def _pairs(value: str) -> Iterator[tuple[str, str]]:
    try:
        words = shlex.split(value)
    except ValueError:  # a quote that is never closed: systemd ignores such a line
        return
    for word in words:
        name, _, text = word.partition("=")
        yield name, re.sub(r"%([d%])", lambda found: {"d": CREDENTIALS, "%": "%"}[found[1]], text)
