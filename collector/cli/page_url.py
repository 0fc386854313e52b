"""`edge-collector page-url`: the link that logs a browser in."""

import codecs
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from collector.cli.run import EXIT_SETTINGS, read_settings
from collector.settings import Settings
from collector.web.hosts import is_wildcard
from collector.web.token import Token


class _NoToken(Exception):
    """Why it can not be had: a line for a person."""


def print_page_url(env_file: Path | None) -> int:
    """Print it; returns the exit status."""
    settings = read_settings(env_file)
    if settings is None:
        return EXIT_SETTINGS
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    if not settings.http_port:
        errors.print("The page is off: HTTP_PORT=0. Set HTTP_PORT, e.g. 8090.", markup=False)
        return EXIT_SETTINGS
    secret = settings.http_token
    try:
        token = secret.get_secret_value() if secret else _kept_in(settings.data_dir.absolute())
    except _NoToken as error:
        errors.print(str(error), markup=False)
        return EXIT_SETTINGS
    Console(soft_wrap=True, highlight=False).print(page_url(settings, token), markup=False)
    return 0


def page_url(settings: Settings, token: str) -> str:
    """The token stands behind the #: browsers send that part to nobody."""
    host = settings.http_host
    if is_wildcard(host):
        names = (*settings.http_allowed_hosts, settings.edge_ip_address, socket.gethostname())
        host = next(str(name) for name in names if name)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.http_port}/login#token={token}"


def _kept_in(folder: Path) -> str:
    try:
        with _as_owner_of(folder):
            return Token(None, Path()).needed()
    except FileNotFoundError as error:
        remedy = "start the collector first, or name its folder, e.g. DATA_DIR=/var/lib/edge-collector"
        raise _NoToken(f"There is no {folder}: {remedy}") from error
    except OSError as error:
        reason = error.strerror or error
        remedy = "Run it as the collector's user, or as root."
        raise _NoToken(f"The token can not be kept in {folder}: {reason}. {remedy}") from error


@contextmanager
def _as_owner_of(folder: Path) -> Iterator[None]:
    """There, and as its owner: what root left there the collector could not read."""
    codecs.lookup("ascii")  # before Python's own files can not be read any more, where root alone may
    owner, user, group = folder.stat(), os.geteuid(), os.getegid()
    os.chdir(folder)  # as root still: nobody else finds the way to a service's below `/var/lib/private`
    if user and owner.st_uid != user:
        raise PermissionError(0, "it belongs to another user")
    if not user:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(user)
        os.setegid(group)
