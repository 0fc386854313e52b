"""The command line: each command's own module is loaded only when it is called."""

import os
import signal
import sys


def main() -> None:
    """Entry point of ``edge-collector``."""
    # Told to end before anything has begun; who has something to put in order takes the signal over.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    if sys.platform != "linux":
        sys.stderr.write(f"note: made for Linux; on {sys.platform} neither run nor demo works (docs/platforms.md)\n")
    from collector.cli.commands import app

    app(prog_name="edge-collector" if not sys.argv[0].endswith("__main__.py") else "python -m collector")
