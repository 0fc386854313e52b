"""Commands for documents and settings that are not in force yet."""

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collector.cli.commands.options import EnvFile
from collector.cli.commands.top import app


class PlcEthernet(StrEnum):
    """What the protocol name `plc_ethernet` can stand for."""

    AUTO = "auto"
    MODBUS_TCP = "modbus_tcp"
    XGT = "xgt"


@app.command()
def check(
    file: Annotated[
        list[str] | None,
        typer.Argument(help="A document (JSON or YAML); with --server more edge ids.", metavar="FILE"),
    ] = None,
    plc_ethernet: Annotated[PlcEthernet, typer.Option(help="What plc_ethernet means here.")] = PlcEthernet.AUTO,
    server: Annotated[str | None, typer.Option(help="Try the documents of this Fleet server.", metavar="URL")] = None,
    edge: Annotated[list[str] | None, typer.Option(help="An edge to try; as often as needed.", metavar="ID")] = None,
    details: Annotated[bool, typer.Option("--details", help="With --server: each document in full.")] = False,
    token_file: Annotated[
        Path | None, typer.Option(help="The token; without it, EDGE_API_TOKEN.", metavar="FILE")
    ] = None,
    ca_file: Annotated[Path | None, typer.Option(help="CA certificates to trust (PEM).", metavar="FILE")] = None,
    env_file: EnvFile = None,
) -> None:
    """Show what a document would poll, in how many requests, and what is refused and why; or try those of many edges.

    Exit status: 0 all of it is used, 1 parts are refused or an edge has no configuration, 2 there is none at all.

    Examples:

      edge-collector check config.json

      edge-collector check --server http://pipeline:8080 --edge edge-1 edge-2 edge-3
    """
    from rich.console import Console

    console, errors = Console(soft_wrap=True), Console(soft_wrap=True, stderr=True)
    if server is not None:
        from collector.cli.check_edges import Desk, check_edges

        desk = Desk(server, token_file, ca_file, env_file, plc_ethernet.value)
        raise typer.Exit(check_edges(desk, [*(edge or ()), *(file or ())], console, errors, details=details))
    from collector.cli.check import check_file
    from collector.settings.environment import file_variables

    if file is None or len(file) != 1 or edge:
        raise typer.BadParameter("expected one document, or --server with the edges", param_hint="FILE")
    variables = file_variables(env_file, os.environ)
    raise typer.Exit(check_file(Path(file[0]), plc_ethernet.value, variables, console, errors))


@app.command()
def migrate(
    old: Annotated[Path, typer.Argument(help="The old collector's settings file.", metavar="OLD")],
    output: Annotated[
        str | None, typer.Option(help="Where the new one goes, - for standard output.", metavar="FILE")
    ] = None,
) -> None:
    """Make this collector's .env from the old one's: what each line became, what was dropped and why.

    Without --output it goes to standard output, on a terminal with *** for every secret. A file is made for its
    owner only and never overwritten.

    Exit status: 0 it can be started with, 1 something has to be mended first, 2 it could not be read or written.

    Example: edge-collector migrate /opt/old/.env --output .env
    """
    from rich.console import Console

    from collector.cli.migrate import migrate_settings

    raise typer.Exit(migrate_settings(old, output, Console(soft_wrap=True, stderr=True)))
