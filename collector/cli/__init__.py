"""The command line: each command's own module is loaded only when it is called."""

import sys


def main() -> None:
    """Entry point of ``edge-collector``."""
    from collector.cli.commands import app

    app(prog_name="edge-collector" if not sys.argv[0].endswith("__main__.py") else "python -m collector")
