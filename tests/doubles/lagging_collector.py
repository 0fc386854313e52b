"""``python -m tests.doubles.lagging_collector SECONDS``: the collector as `run` composes it, its event loop watched.

It collects for so many seconds; the last line of its standard error is a JSON object: ``longest_ms`` that the loop
stood still, and ``cycles`` polled.
"""

import asyncio
import json
import os
import sys
import time

from collector.app import collecting
from collector.settings import load_settings
from collector.status.logs import configure_logs


class Lag:
    """The longest that the event loop stood still, in its own processor time: the machine's other work stops us too."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.thread_time() - before)


async def collect(seconds: float) -> None:
    """Print what was seen."""
    settings = load_settings(None, os.environ)
    configure_logs(settings.log_level, settings.log_format, settings.site_tz)
    lag = Lag()
    async with collecting(settings) as collector:
        watching = asyncio.create_task(lag.watch())
        await asyncio.sleep(seconds)
        watching.cancel()
        cycles = sum(device.polls for device in collector.board.devices.values())
    print(json.dumps({"longest_ms": lag.longest_s * 1000, "cycles": cycles}), file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(collect(float(sys.argv[1])))
