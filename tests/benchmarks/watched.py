"""`edge-collector` with a finger on its pulse: how late its event loop woke up each time, told when it ends.

Usage: ``python -m tests.benchmarks.watched run``. The latenesses are in seconds, a line each, in ``pulse.txt``.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from collector import app
from collector.cli import main
from collector.settings import Settings
from collector.status.logs import Log

FILE = "pulse.txt"
_EVERY_S = 0.02
_run = app.run


async def _run_watched(settings: Settings, stop: asyncio.Event, written: Log, bound_end: Callable[[], None]) -> bool:
    late_s: list[float] = []
    feeling = asyncio.create_task(_feel(late_s))
    try:
        return await _run(settings, stop, written, bound_end)
    finally:
        feeling.cancel()
        Path(FILE).write_text("".join(f"{each:.6f}\n" for each in late_s), encoding="ascii")


async def _feel(late_s: list[float]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        late_s.append(max(loop.time() - due, 0.0))


if __name__ == "__main__":
    app.run = _run_watched
    main()
