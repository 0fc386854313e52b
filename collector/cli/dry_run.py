"""`edge-collector run --dry-run`: polls what the document says and prints it; publishes and stores nothing."""

import asyncio
from functools import partial

from rich.console import Console
from rich.markup import escape

from collector.app import config_source, log_change, plan_options
from collector.cli.check import show_plan
from collector.clock import SystemClock, iso_utc
from collector.config.plan import Plan
from collector.config.sync import ConfigSync
from collector.polling.scan import Scan
from collector.polling.supervisor import Supervisor
from collector.settings import Settings
from collector.status.board import Board
from protocols import registry
from protocols.host.driver import HOST_ROOT
from protocols.tcp import DEVICE_NETWORKS


async def print_scans(settings: Settings, stop: asyncio.Event) -> None:
    """Show the plan, then each scan as a line, until `stop` is set."""
    DEVICE_NETWORKS.set(settings.device_networks)
    HOST_ROOT.set(settings.host_root)
    console = Console(soft_wrap=True)
    clock = SystemClock()
    board = Board(clock)
    board.on_change.append(log_change)

    def show(scan: Scan) -> None:
        console.print(_line(scan), highlight=False)

    # Servers know the collector by its certificate, so that is the one thing taken from, and kept in, its folder.
    driver_of = partial(registry.driver, state_folder=settings.data_dir)
    async with (
        config_source(settings) as source,
        Supervisor(clock=clock, board=board, deliver=show, driver_of=driver_of) as supervisor,
    ):

        def apply(plan: Plan) -> None:
            show_plan(plan, console)
            supervisor.apply(plan)

        sync = ConfigSync(
            source,
            None,
            plan_options(settings),
            apply,
            fixed_id=settings.edge_id_fixed,
            interval_s=settings.config_sync_interval_sec,
            clock=clock,
            board=board,
        )
        asking = asyncio.create_task(sync.run())
        await stop.wait()
        asking.cancel()


def _line(scan: Scan) -> str:
    good = "  ".join(
        f"{escape(name)}=[bold]{escape(str(value))}[/]"
        for name, value in zip(scan.names, scan.values, strict=True)
        if value is not None
    )
    bad = "  ".join(f"[red]{escape(scan.names[position])}: {quality}[/]" for position, quality in scan.bad.items())
    return f"[dim]{iso_utc(scan.stamp_ms)}[/] {escape(scan.device.name)}: {good}  {bad}".rstrip()
