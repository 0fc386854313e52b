"""The service's log, for a bundle: without `LOG_DIR` systemd's journal alone has it."""

import shutil
import subprocess

from collector.cli.install_service import NAME, SETTINGS, UNITS
from collector.cli.installed import installed_service
from collector.settings import Settings

MOST_LINES = 20_000
_WITHIN_S = 20


def journal_of(settings: Settings) -> str:
    """The newest lines where these settings are the installed service's; else, or without a journal, none. Blocks."""
    service = installed_service(UNITS, SETTINGS)
    program = shutil.which("journalctl")
    if service is None or service.settings != settings.env_file or program is None:
        return ""
    command = [program, "--unit", NAME, "--no-pager", "--quiet", "--output", "short-iso", "--lines", str(MOST_LINES)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_WITHIN_S, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")
