"""Who `read` and `browse` are to a device: where certificates are kept, and a password that no command line shows."""

import getpass
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from collector.settings.environment import gather


def state_folder(data_dir: Path | None) -> Path:
    """Where drivers keep what they know, so that a server knows us and we know it.

    `data_dir`, else ``DATA_DIR`` of the environment or of ``.env`` here, else ``./data`` beside a ``.env``, else the
    user's own: ``$XDG_STATE_HOME/edge-collector``, by default ``~/.local/state/edge-collector``.
    """
    if data_dir is not None:
        return data_dir
    named = gather(None, os.environ).values.get("DATA_DIR")
    if named is not None or Path(".env").is_file():
        return Path(named or "data")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "edge-collector"


def with_password(fields: Mapping[str, object], password_file: Path | None) -> dict[str, object]:
    """The connection's fields with the password of its ``username``, if it has one.

    It is taken from the file, else typed without an echo, else, where there is no terminal, the first line that is
    piped in. Raises `typer.BadParameter`.
    """
    if "password" in fields:
        raise typer.BadParameter("everybody on this machine could read it: use --password-file", param_hint="--set")
    username = fields.get("username")
    if password_file is not None:
        if username is None:
            raise typer.BadParameter("there is no --set username=NAME for it", param_hint="--password-file")
        return {**fields, "password": _first_line(password_file)}
    if username is None:
        return dict(fields)
    typed = getpass.getpass(f"Password of {username}: ") if sys.stdin.isatty() else sys.stdin.readline()
    return {**fields, "password": typed.rstrip("\r\n")}


def _first_line(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig").partition("\n")[0].rstrip("\r")
    except (OSError, ValueError) as error:
        raise typer.BadParameter(f"{file} can not be read: {error}", param_hint="--password-file") from None
