"""Commands for the collector on its gateway: run it, install it, open its page."""

from pathlib import Path
from typing import Annotated

import typer

from collector.cli.commands.options import EnvFile, ServiceEnvFile
from collector.cli.commands.top import app


@app.command()
def run(
    env_file: EnvFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Poll and print; publish and store nothing.")] = False,
) -> None:
    """Run the collector until SIGTERM or Ctrl-C.

    Examples:

      edge-collector run

      edge-collector run --env-file /etc/edge/.env --dry-run
    """
    from collector.lean import without

    with without("rich"):  # which structlog has for drawing tracebacks
        from collector.cli.run import run_collector

    raise typer.Exit(run_collector(env_file, dry_run=dry_run))


@app.command("install-service")
def install_service(
    env_file: Annotated[Path, typer.Option(help="Its settings; root alone needs to read them.", metavar="FILE")] = Path(
        "/etc/edge-collector/.env"
    ),
    serial: Annotated[bool, typer.Option("--serial", help="It may use serial ports (modbus_rtu).")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the unit, change nothing.")] = False,
    uninstall: Annotated[bool, typer.Option("--uninstall", help="Stop it and remove the unit; data stays.")] = False,
) -> None:
    """Have systemd run the collector, now and at each boot, with few rights and a watchdog.

    Exit status: 0 done, 1 not done, and why.

    Examples:

      sudo /opt/edge-collector/bin/edge-collector install-service

      edge-collector install-service --dry-run
    """
    from rich.console import Console

    from collector.cli import install_service as services

    errors = Console(soft_wrap=True, stderr=True)
    if uninstall:
        raise typer.Exit(services.uninstall(errors))
    raise typer.Exit(services.install(services.this_program(env_file, serial=serial), errors, dry_run=dry_run))


@app.command()
def page_url(env_file: ServiceEnvFile = None) -> None:
    """Print the link that opens the local page, and lets you acknowledge alarms and set thresholds there.

    Whoever has the link has the token: it is made here, if there is none yet.

    Run it as the collector's user, or as root. Exit status: 0, 2 the settings must be mended, the page is off, or the
    token can not be had.

    Example: sudo /opt/edge-collector/bin/edge-collector page-url
    """
    from rich.console import Console

    from collector.cli.installed import settings_at_hand
    from collector.cli.page_url import print_page_url

    raise typer.Exit(print_page_url(settings_at_hand(env_file, Console(stderr=True))))
