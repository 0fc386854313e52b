"""`edge-collector page-url`: the link that logs a browser in."""

import os
import socket
from pathlib import Path

from rich.console import Console

from collector.cli.run import EXIT_SETTINGS, read_settings
from collector.settings import Settings
from collector.web.hosts import is_wildcard
from collector.web.token import Token


def print_page_url(env_file: Path | None) -> int:
    """Print it; returns the exit status."""
    settings = read_settings(env_file)
    if settings is None:
        return EXIT_SETTINGS
    errors = Console(stderr=True, soft_wrap=True, highlight=False)
    if not settings.http_port:
        errors.print("The page is off: HTTP_PORT=0. Set HTTP_PORT, e.g. 8090.", markup=False)
        return EXIT_SETTINGS
    if settings.data_dir.exists() and settings.data_dir.stat().st_uid != os.geteuid():
        errors.print(f"{settings.data_dir} belongs to another user: run it as the collector's.", markup=False)
        return EXIT_SETTINGS
    secret = settings.http_token
    try:
        token = Token(secret.get_secret_value() if secret else None, settings.data_dir).needed()
    except OSError as error:
        where, reason = settings.data_dir, error.strerror or error
        errors.print(f"The token can not be kept in {where}: {reason}. Run it as the collector's user.", markup=False)
        return EXIT_SETTINGS
    Console(soft_wrap=True, highlight=False).print(page_url(settings, token), markup=False)
    return 0


def page_url(settings: Settings, token: str) -> str:
    """The token stands behind the #: browsers send that part to nobody."""
    host = settings.http_host
    if is_wildcard(host):
        host = str(settings.edge_ip_address or socket.gethostname())
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"http://{host}:{settings.http_port}/login#token={token}"
