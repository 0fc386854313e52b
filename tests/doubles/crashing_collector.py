"""``python -m tests.doubles.crashing_collector run``: the collector with a bug whose traceback would tell secrets.

The heartbeat fails when the file ``crash`` lies in the folder, with every canary in its message and its frames.
"""

from pathlib import Path

from collector.cli import main
from collector.status.heartbeat import Heartbeat
from tests.doubles.canaries import CANARIES

beat = Heartbeat.beat


def beat_or_fail(self: Heartbeat) -> None:
    """As it should, until it should not."""
    if Path("crash").exists():
        secrets = dict(CANARIES)
        raise RuntimeError(f"a bug that knows {secrets['mqtt']!r} and {secrets['fleet']}")
    beat(self)


if __name__ == "__main__":
    Heartbeat.beat = beat_or_fail  # type: ignore[method-assign]
    main()
