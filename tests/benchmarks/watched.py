"""`edge-collector` with a finger on its pulse: how late its event loop woke up each time, told when it ends.

Usage: ``python -m tests.benchmarks.watched run``. Each line of ``pulse.txt`` says when (wall nanoseconds) and
how late (seconds).
"""

import asyncio
import time
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
    late: list[tuple[int, float]] = []
    feeling = asyncio.create_task(_feel(late))
    try:
        return await _run(settings, stop, written, bound_end)
    finally:
        feeling.cancel()
        Path(FILE).write_text("".join(f"{at_ns} {late_s:.6f}\n" for at_ns, late_s in late), encoding="ascii")


async def _feel(late: list[tuple[int, float]]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        late.append((time.time_ns(), max(loop.time() - due, 0.0)))


if __name__ == "__main__":
    app.run = _run_watched
    main()
