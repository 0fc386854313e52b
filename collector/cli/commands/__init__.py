"""What ``edge-collector`` can be told, with its options and examples. `--help` lists them in this order."""

from collector.cli.commands import running, looking, documents, plcs, trying  # noqa: F401, I001 - each adds its own
from collector.cli.commands.top import app

__all__ = ["app"]
