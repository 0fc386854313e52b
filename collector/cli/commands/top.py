"""The program itself: what it is called, and what it knows without a command."""

from typing import Annotated

import typer

from collector import __version__

app = typer.Typer(
    name="edge-collector",
    help="Polls PLCs, publishes by MQTT, keeps everything while the broker is away.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-collector {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    pass
