"""Commands for a laptop: all of it at once, or one part."""

from typing import Annotated

import typer

from collector.cli import simulate
from collector.cli.commands.top import app

app.add_typer(simulate.app, name="simulate")


@app.command()
def demo(
    duration: Annotated[
        float | None,
        typer.Option(min=1, help="Seconds until it ends by itself; without it, Ctrl-C.", metavar="SECONDS"),
    ] = None,
    outage: Annotated[
        float, typer.Option(min=0, help="Stop the broker for so long in the middle.", metavar="SECONDS")
    ] = 0,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="Use the embedded broker even where there is a Mosquitto.")
    ] = False,
) -> None:
    """All of it on this machine: PLCs, Fleet server, broker, collector, and a live view. Nothing else is needed.

    Exit status: 0 every message arrived, 1 some did not, 2 the duration is too short for the outage.

    Examples:

      edge-collector demo

      edge-collector demo --duration 60 --outage 20
    """
    from collector.cli.demo.run import run_demo

    raise typer.Exit(run_demo(duration, outage, embedded=embedded))
