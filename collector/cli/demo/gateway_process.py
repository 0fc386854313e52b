"""The collector of the demo in a process of its own: what `edge-collector run` runs, and reports on how it does.

Its settings come as a line of JSON on standard input, ``{"env_file", "environ"}``, which then stays open for as long as
the demo is there.
"""

import asyncio
import sys
from pathlib import Path

import orjson

from collector.app import collecting
from collector.cli.demo.report import Cycle, Report
from collector.cli.foreground import passed, until_signal
from collector.clock import SystemClock
from collector.commands.process import ProcessCommands
from collector.settings import Settings, load_settings
from collector.status.logs import Log, configure_logs

EVERY_S = 0.2
FORCED_EXIT_S = 7.5


def main() -> None:
    """Collect until a signal or the end of standard input."""
    order = sys.stdin.buffer.readline()
    if not order:
        return
    told = orjson.loads(order)
    settings = load_settings(Path(told["env_file"]), told["environ"])
    written = configure_logs("INFO", "json", settings.site_tz, secrets=settings.secrets)
    until_signal(lambda stop: _collect(settings, written, stop), forced_exit_s=FORCED_EXIT_S)


async def _collect(settings: Settings, written: Log, stop: asyncio.Event) -> None:
    loop, clock = asyncio.get_running_loop(), SystemClock()
    cycles: list[Cycle] = []

    def end() -> None:
        loop.remove_reader(sys.stdin)
        stop.set()

    loop.add_reader(sys.stdin, end)  # nothing is sent any more: the demo has gone, however it did
    async with collecting(settings, ProcessCommands(written, end), written) as collector:
        collector.on_scan.append(lambda scan: cycles.append(Cycle.of(scan, clock.monotonic())))
        releasing = loop.create_task(written.keep_releasing(), name="log")
        while True:
            _send(Report.of(collector, cycles))
            cycles.clear()
            if await passed(stop, EVERY_S):
                break
        releasing.cancel()
    _send(Report.of(collector, cycles))


def _send(report: Report) -> None:
    sys.stdout.buffer.write(report.line())
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
