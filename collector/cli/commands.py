"""What ``edge-collector`` can be told, with its options and examples."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from collector import __version__
from collector.cli import simulate

app = typer.Typer(
    name="edge-collector",
    help="Polls PLCs, publishes by MQTT, keeps everything while the broker is away.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

EnvFile = Annotated[
    Path | None,
    typer.Option(help="Settings file; real environment variables win. Default: .env, if there is one.", metavar="FILE"),
]
BrokerUrl = Annotated[str, typer.Option("--broker", help="The broker, e.g. mqtt://127.0.0.1:1883.", metavar="URL")]
DeviceHost = Annotated[str | None, typer.Option("--host", help="Address or name of the device.")]
DevicePort = Annotated[int | None, typer.Option("--port", help="Its port, if it is not the protocol's own.")]
FieldsOfConnection = Annotated[
    list[str] | None, typer.Option("--set", help="Another field of its connection.", metavar="FIELD=VALUE")
]
AnswerTimeout = Annotated[float, typer.Option("--timeout", min=0.01, help="Seconds that one answer may take.")]
CertificateFolder = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="Where certificates are kept. Default: DATA_DIR, else a folder of the user.",
        metavar="FOLDER",
    ),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="Its first line is the password of --set username=NAME; without it, it is asked for."),
]
SinkName = Annotated[
    str, typer.Option("--sink", help="kafka or http: what waits for that one, not for the broker.", metavar="NAME")
]

app.add_typer(simulate.app, name="simulate")
buffer = typer.Typer(help="What waits in the outbox, of a stopped collector or a running one.", no_args_is_help=True)
app.add_typer(buffer, name="buffer")
DataFolder = Annotated[
    Path | None, typer.Option("--data-dir", help="Instead of DATA_DIR in the settings.", metavar="FOLDER")
]


class PlcEthernet(StrEnum):
    """What the protocol name `plc_ethernet` can stand for."""

    AUTO = "auto"
    MODBUS_TCP = "modbus_tcp"
    XGT = "xgt"


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


@app.command()
def read(
    addresses: Annotated[
        list[str], typer.Argument(help="ADDRESS, ADDRESS:TYPE or ADDRESS:STRING:BYTES.", metavar="ADDRESS")
    ],
    protocol: Annotated[str, typer.Option(help="As in a document, e.g. modbus_tcp.")] = "modbus_tcp",
    host: DeviceHost = None,
    port: DevicePort = None,
    setting: FieldsOfConnection = None,
    password_file: PasswordFile = None,
    data_dir: CertificateFolder = None,
    timeout: AnswerTimeout = 3.0,
) -> None:
    """Read some addresses once and show all that their bytes can mean: every type in every order, and text.

    Of OPC-UA: value, type, status and source timestamp, as the server says them.

    Exit status: 0 all were read, 1 some were not, 2 nothing could be asked.

    Examples:

      edge-collector read --host 192.168.1.10 40001 40003:FLOAT32 40041:STRING:16

      edge-collector read --protocol modbus_tcp --host 192.168.1.10 --set unit_id=3 HR0:INT32

      edge-collector read --protocol opcua --host 192.168.1.20 --set security_policy=Basic256Sha256
      --set username=operator "ns=2;s=Filler.Temperature"
    """
    from rich.console import Console

    from collector.cli.identity import state_folder, with_password
    from collector.cli.read import read_addresses

    fields = with_password({"host": host, "port": port, **_fields(setting)}, password_file)
    console, folder = Console(soft_wrap=True), state_folder(data_dir)
    raise typer.Exit(read_addresses(protocol, fields, addresses, timeout, console, folder))


@app.command()
def browse(
    node: Annotated[
        str | None, typer.Argument(help="Where to begin; without it, the Objects folder.", metavar="NODE")
    ] = None,
    protocol: Annotated[str, typer.Option(help="As in a document.")] = "opcua",
    endpoint: Annotated[str | None, typer.Option(help="The server's URL.", metavar="URL")] = None,
    host: DeviceHost = None,
    port: DevicePort = None,
    setting: FieldsOfConnection = None,
    password_file: PasswordFile = None,
    data_dir: CertificateFolder = None,
    depth: Annotated[int, typer.Option(min=1, max=20, help="How many levels.")] = 1,
    timeout: AnswerTimeout = 3.0,
) -> None:
    """List what an OPC-UA server has: names, the addresses that tags would have, and the types of the values.

    Exit status: 0 all was listed, 1 no answer or some of it was refused, 2 nothing could be asked.

    Examples:

      edge-collector browse --endpoint opc.tcp://192.168.1.20:4840

      edge-collector browse --host 192.168.1.20 --depth 3 "ns=2;s=Filler"
    """
    from rich.console import Console

    from collector.cli.browse import browse_nodes
    from collector.cli.identity import state_folder, with_password

    if endpoint is not None and (host is not None or port is not None):
        raise typer.BadParameter("it says host and port already", param_hint="--endpoint")
    fields = with_password({"endpoint": endpoint, "host": host, "port": port, **_fields(setting)}, password_file)
    console, folder = Console(soft_wrap=True), state_folder(data_dir)
    raise typer.Exit(browse_nodes(protocol, fields, node, depth, timeout, console, folder))


def _fields(settings: list[str] | None) -> dict[str, object]:
    """What ``--set`` gives."""
    fields: dict[str, object] = {}
    for each in settings or ():
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each!r} is no FIELD=VALUE", param_hint="--set")
        fields[name.strip()] = value
    return fields


@buffer.command("stats")
def buffer_stats(env_file: EnvFile = None, data_dir: DataFolder = None, sink: SinkName = "") -> None:
    """Show as JSON how much waits: messages, bytes, oldest and newest, by epoch, and the dead letters.

    Exit status: 0 shown, 1 the outbox can not be read, 2 the settings must be mended.

    Example: edge-collector buffer stats --data-dir /var/lib/edge-collector
    """
    from collector.cli.buffer import show_stats

    raise typer.Exit(show_stats(env_file, data_dir, sink))


@buffer.command("export")
def buffer_export(
    file: Annotated[
        Path | None, typer.Argument(help="A new file; without it, standard output.", metavar="FILE")
    ] = None,
    env_file: EnvFile = None,
    data_dir: DataFolder = None,
    sink: SinkName = "",
) -> None:
    """Write what waits as lines of JSON: topic, epoch, seq, timestamp, payload. Nothing is taken out of the outbox.

    Exit status: 0 all is written, 1 the outbox can not be read, 2 the settings must be mended.

    Example: edge-collector buffer export waiting.jsonl --data-dir /var/lib/edge-collector
    """
    from collector.cli.buffer import export

    raise typer.Exit(export(env_file, data_dir, file, sink))


@app.command()
def page_url(env_file: EnvFile = None) -> None:
    """Print the link that opens the local page, and lets you acknowledge alarms and set thresholds there.

    Whoever has the link has the token: it is made here, if there is none yet.

    Exit status: 0, 2 the settings must be mended, or the page is off.

    Example: edge-collector page-url --env-file /etc/edge/.env
    """
    from collector.cli.page_url import print_page_url

    raise typer.Exit(print_page_url(env_file))


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


@app.command()
def audit(
    last: Annotated[int, typer.Option(min=1, help="How many of the newest.", metavar="N")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Each record as it is kept, one JSON object a line.")] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="The collector's data folder. Default: DATA_DIR, else ./data.", metavar="FOLDER")
    ] = None,
    env_file: EnvFile = None,
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

    folder = data_dir or Path(gather(env_file, os.environ).values.get("DATA_DIR", "data"))
    console = Console(soft_wrap=as_json, width=None if sys.stdout.isatty() else 240)
    raise typer.Exit(show_audit(folder, last, console, as_json=as_json))


@app.command()
def doctor(env_file: EnvFile = None) -> None:
    """Try all that the collector needs: settings, Fleet server, broker, PLCs, clock, disk; say what to do.

    It connects and asks; it publishes nothing and writes to no PLC. May be used while the collector runs.

    Exit status: 0 all is well, 1 something is not, 2 the settings must be mended.

    Example: edge-collector doctor --env-file /etc/edge-collector/.env
    """
    from rich.console import Console

    from collector.cli.doctor import examine

    raise typer.Exit(examine(env_file, Console(soft_wrap=True), Console(soft_wrap=True, stderr=True)))


@app.command("support-bundle")
def support_bundle(
    env_file: EnvFile = None,
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

      edge-collector support-bundle --env-file /etc/edge-collector/.env

      edge-collector support-bundle --frames "CASE프레스_PLC_01"
    """
    from rich.console import Console

    from collector.cli.support import make_bundle

    raise typer.Exit(make_bundle(env_file, output, frames, Console(soft_wrap=True, stderr=True, highlight=False)))


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
