"""`edge-collector migrate OLD.env`: the old collector's settings in this one's words."""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from collector.settings import SettingsError
from collector.settings.envfile import read_env_file
from collector.settings.environment import KNOWN
from collector.settings.loading import validate_texts
from collector.settings.model import VARIABLES

EXIT_TO_MEND = 1
EXIT_NOT_DONE = 2
MASK = "***"
_SECRET_NAME = ("PASSWORD", "TOKEN", "SECRET")


@dataclass(frozen=True, slots=True)
class Moved:
    """One variable of the old file: the line it became, None if it was dropped, and why."""

    name: str
    value: str | None
    remark: str


def migrate_settings(old: Path, output: str | None, errors: Console) -> int:
    """Write the new settings; returns the exit status. `output` None or ``-`` is standard output."""
    found = read_env_file(old, KNOWN)
    if found.problems:
        for problem in found.problems:
            errors.print(f"[red]error:[/] {escape(str(problem))}")
        return EXIT_NOT_DONE
    moved = [_moved(name, value) for name, value in found.values.items()]
    mends = list(_mends({each.name: each.value for each in moved if each.value is not None}))
    masked = output is None and sys.stdout.isatty()
    text = "".join(f"{line}\n" for line in _lines(old, moved, mends, masked=masked))
    try:
        _write(output, text)
    except OSError as error:
        errors.print(f"[red]error:[/] {escape(str(output))}: {escape(error.strerror or str(error))}")
        return EXIT_NOT_DONE
    for mend in mends:
        errors.print(f"[yellow]to mend:[/] {escape(mend)}")
    if masked:
        errors.print(f"Secrets are shown as {MASK}; --output FILE writes them, --output - shows them.")
    return EXIT_TO_MEND if mends else 0


def _moved(name: str, value: str) -> Moved:
    if name == "EDGE_CONFIG_SOURCE" and value.strip().lower() == "aas":
        return Moved(name, "api", "was aas, which only the old collector has: the Fleet server is asked instead")
    if name in KNOWN and not value.strip():
        return Moved(name, None, "was empty, which is the same as not set")
    if name in KNOWN:
        return Moved(name, value, "")
    meant = get_close_matches(name.upper(), KNOWN, n=1, cutoff=0.86)
    return Moved(name, None, f"no variable of this collector{f'; did you mean {meant[0]}?' if meant else ''}")


def _mends(values: Mapping[str, str]) -> Iterator[str]:
    try:
        validate_texts(values)
    except SettingsError as error:
        yield from map(str, error.problems)


def _lines(old: Path, moved: list[Moved], mends: list[str], *, masked: bool) -> Iterator[str]:
    yield f"# Made from {old} by edge-collector migrate. All variables: .env.example"
    kept = [each for each in moved if each.value is not None]
    for each in kept:
        if each.remark:
            yield f"# {each.name} {each.remark}"
        yield f"{each.name}={MASK if masked and _is_secret(each.name) else _quoted(each.value or '')}"
    dropped = [each for each in moved if each.value is None]
    if dropped:
        yield "\n# Dropped; their values are not repeated here:"
        yield from (f"# {each.name}: {each.remark}" for each in dropped)
    if mends:
        yield "\n# To mend before it can be started:"
        yield from (f"# {mend}" for mend in mends)


def _is_secret(name: str) -> bool:
    known = VARIABLES.get(name)
    return known.secret if known else any(word in name for word in _SECRET_NAME)


def _quoted(value: str) -> str:
    if not any(character in value for character in " #'\"\\$"):
        return value
    if "'" not in value and "\\" not in value:
        return f"'{value}'"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _write(output: str | None, text: str) -> None:
    if output in (None, "-"):
        sys.stdout.write(text)
        return
    handle = os.open(output or "", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
