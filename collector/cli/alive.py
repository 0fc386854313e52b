"""`python -m collector.cli.alive`: what the container's HEALTHCHECK runs. Looks at a file, and imports next to nothing.

Exit status: 0 the collector lives, 1 it does not, or it has not started yet, 2 nobody has said where to look.
"""

import os
import sys
from collections.abc import Mapping

from collector.clock import SystemClock
from collector.status.life_sign import PATIENCE_S, VARIABLE, age_s, alive_file

EXIT_SILENT = 1
EXIT_NOWHERE = 2


def look(environ: Mapping[str, str]) -> tuple[int, str]:
    """The exit status, and a line for `docker inspect`."""
    file = alive_file(environ)
    if file is None:
        return EXIT_NOWHERE, f"{VARIABLE} is not set: expected the file that the collector renews"
    try:
        age = age_s(file, SystemClock().monotonic)
    except (OSError, ValueError):
        return EXIT_SILENT, f"{file} is not written yet: the collector is starting, or could not start"
    if not 0 <= age <= PATIENCE_S:
        return EXIT_SILENT, f"no sign of life for {age:.0f} s: see the collector's log"
    return 0, f"alive {age:.0f} s ago"


def main() -> int:
    """Say it and return the exit status."""
    status, line = look(os.environ)
    sys.stdout.write(line + "\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
