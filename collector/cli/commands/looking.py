"""Commands that look at a collector, whether it runs or not."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from collector.cli.commands.options import BrokerUrl, DataFolder, ServiceEnvFile, SinkName
from collector.cli.commands.top import app

buffer = typer.Typer(help="What waits in the outbox, of a stopped collector or a running one.", no_args_is_help=True)
app.add_typer(buffer, name="buffer")


@app.command()
def doctor(env_file: ServiceEnvFile = None) -> None:
    """Try all that the collector needs: settings, Fleet server, broker, PLCs, clock, disk; say what to do.

    It connects and asks; it publishes nothing and writes to no PLC. May be used while the collector runs.

    Exit status: 0 all is well, 1 something is not, 2 the settings must be mended.

    Example: sudo /opt/edge-collector/bin/edge-collector doctor
    """
    from rich.console import Console

    from collector.cli.doctor import examine
    from collector.cli.installed import settings_at_hand

    console = Console(soft_wrap=True)
    raise typer.Exit(examine(settings_at_hand(env_file, console), console, Console(soft_wrap=True, stderr=True)))


@app.command("support-bundle")
def support_bundle(
    env_file: ServiceEnvFile = None,
    output: Annotated[
        Path | None, typer.Option(help="A new file. Default: edge-support-EDGE-TIME.zip here.", metavar="FILE")
    ] = None,
    frames: Annotated[
        str | None, typer.Option(help="Read this device once, and tell the frames of that.", metavar="DEVICE")
    ] = None,
) -> None:
    """Write all that somebody far away needs to help into one zip: settings, document, doctor, logs, figures.

    Secrets are masked; look through it all the same before you send it. May be used while the collector runs.

    Exit status: 0 written, 1 the file can not be written, 2 the settings must be mended.

    Examples:

      sudo /opt/edge-collector/bin/edge-collector support-bundle

      edge-collector support-bundle --frames "CASE프레스_PLC_01"
    """
    from rich.console import Console

    from collector.cli.installed import settings_at_hand
    from collector.cli.support import make_bundle

    errors = Console(soft_wrap=True, stderr=True, highlight=False)
    raise typer.Exit(make_bundle(settings_at_hand(env_file, errors), output, frames, errors))


@app.command()
def audit(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest.", metavar="N")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Each record as it is kept, one JSON object a line.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Instead of DATA_DIR in the settings, else ./data.", metavar="FOLDER")
    ] = None,
    env_file: ServiceEnvFile = None,
) -> None:
    """Show what was commanded, and of each write what was there before and after; the collector may run or not.

    Exit status: 0 shown, 1 there is none or it can not be read.

    Examples:

      edge-collector audit --last 20

      edge-collector audit --data-dir /var/lib/edge --json
    """
    from rich.console import Console

    from collector.cli.audit import show_audit
    from collector.settings.environment import gather

    folder = data_dir or Path(gather(_whose(env_file, data_dir), os.environ).values.get("DATA_DIR", "data"))
    console = Console(soft_wrap=as_json, width=None if sys.stdout.isatty() else 240)
    raise typer.Exit(show_audit(folder, last, console, as_json=as_json))


@buffer.command("stats")
def buffer_stats(env_file: ServiceEnvFile = None, data_dir: DataFolder = None, sink: SinkName = "") -> None:
    """Show as JSON how much waits: messages, bytes, oldest and newest, by epoch, and the dead letters.

    Exit status: 0 shown, 1 the outbox can not be read, 2 the settings must be mended.

    Example: edge-collector buffer stats --data-dir /var/lib/edge-collector
    """
    from collector.cli.buffer import show_stats

    raise typer.Exit(show_stats(_whose(env_file, data_dir), data_dir, sink))


@buffer.command("export")
def buffer_export(
    file: Annotated[
        Path | None, typer.Argument(help="A new file; without it, standard output.", metavar="FILE")
    ] = None,
    env_file: ServiceEnvFile = None,
    data_dir: DataFolder = None,
    sink: SinkName = "",
) -> None:
    """Write what waits as lines of JSON: topic, epoch, seq, timestamp, payload. Nothing is taken out of the outbox.

    Exit status: 0 all is written, 1 the outbox can not be read, 2 the settings must be mended.

    Example: edge-collector buffer export waiting.jsonl --data-dir /var/lib/edge-collector
    """
    from collector.cli.buffer import export

    raise typer.Exit(export(_whose(env_file, data_dir), data_dir, file, sink))


def _whose(env_file: Path | None, data_dir: Path | None) -> Path | None:
    if data_dir is not None:
        return env_file
    from rich.console import Console

    from collector.cli.installed import settings_at_hand

    return settings_at_hand(env_file, Console(stderr=True))


@app.command()
def watch(
    broker: BrokerUrl = "mqtt://127.0.0.1:1883",
    edge: Annotated[str, typer.Option(help="Only this edge; + for all.", metavar="EDGE_ID")] = "+",
) -> None:
    """Subscribe to the topics of the edges and show values, gaps, duplicates and delay.

    Example: edge-collector watch --broker mqtt://127.0.0.1:1883 --edge edge-spifox-001
    """
    from collector.cli.watch import watch_topics

    raise typer.Exit(watch_topics(broker, edge))
