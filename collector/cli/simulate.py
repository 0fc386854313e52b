"""``edge-collector simulate …``: one simulator in the foreground, until Ctrl-C."""

from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Run one simulator in the foreground: a PLC, the Fleet server, a broker, an edge.", no_args_is_help=True
)

Host = Annotated[str, typer.Option(help="Address to listen on.", metavar="HOST")]
Fault = Annotated[
    list[str] | None,
    typer.Option("--fault", help="Misbehave from the start, e.g. slow_s=2; may be given again.", metavar="ORDER"),
]


@app.command()
def modbus(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 5020,
    host: Host = "127.0.0.1",
    unit_id: Annotated[int, typer.Option(min=0, max=255, help="Unit id that answers.")] = 1,
    fault: Fault = None,
) -> None:
    """A Modbus TCP PLC with process-like values.

    Example: edge-collector simulate modbus --port 5020 --fault slow_s=0.5
    """
    from simulators.commands import run_modbus

    _foreground(run_modbus(echo=typer.echo, host=host, port=port, unit_id=unit_id, faults=fault or ()))


@app.command()
def opcua(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 4840,
    host: Host = "127.0.0.1",
    fault: Fault = None,
) -> None:
    """An OPC-UA server with process-like values, without security.

    Example: edge-collector simulate opcua --port 4840 --fault uncertain
    """
    from simulators.commands import run_opcua

    _foreground(run_opcua(echo=typer.echo, host=host, port=port, faults=fault or ()))


@app.command()
def s7(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one. Real CPUs have 102.")
    ] = 10102,
    host: Host = "127.0.0.1",
    pdu: Annotated[int, typer.Option(min=112, max=960, help="Greatest message it grants: 240, 480 or 960.")] = 480,
    fault: Fault = None,
) -> None:
    """A Siemens S7 CPU with process-like values.

    Example: edge-collector simulate s7 --port 10102 --fault put_get_off
    """
    from simulators.commands import run_s7

    _foreground(run_s7(echo=typer.echo, host=host, port=port, pdu=pdu, faults=fault or ()))


@app.command()
def xgt(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 2004,
    host: Host = "127.0.0.1",
    family: Annotated[str, typer.Option(help="Whom to play: xgk, xgi, xgr, xgb or xgb_iec.")] = "xgk",
    fault: Fault = None,
) -> None:
    """An LS XGT PLC with process-like values.

    Example: edge-collector simulate xgt --port 2004 --fault stopped
    """
    from simulators.commands import run_xgt

    _foreground(run_xgt(echo=typer.echo, host=host, port=port, family=family, faults=fault or ()))


@app.command()
def fleet(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 8080,
    host: Host = "127.0.0.1",
    broker: Annotated[
        str | None,
        typer.Option(help="Where edges register and send, e.g. mqtt://127.0.0.1:1883.", metavar="URL"),
    ] = None,
    document: Annotated[
        Path | None,
        typer.Option(help="The config document to serve (JSON); watched for changes.", metavar="FILE"),
    ] = None,
    fault: Fault = None,
) -> None:
    """A small Fleet server: config with ETag, registration by heartbeat, stored rows, latest values.

    Example: edge-collector simulate fleet --broker mqtt://127.0.0.1:1883 --document config.json
    """
    from simulators.commands import run_fleet

    _foreground(
        run_fleet(echo=typer.echo, host=host, port=port, broker_url=broker, document_file=document, faults=fault or ())
    )


@app.command()
def broker(
    port: Annotated[int, typer.Option(min=0, max=65535, help="TCP port; 0 takes a free one.")] = 1883,
    host: Host = "127.0.0.1",
) -> None:
    """An MQTT 3.1.1 broker for trials, open to anybody who can reach it.

    Example: edge-collector simulate broker --port 1883
    """
    from simulators.commands import run_broker

    _foreground(run_broker(echo=typer.echo, host=host, port=port))


@app.command()
def edge(
    broker: Annotated[str, typer.Option(help="The broker to send to.", metavar="URL")] = "mqtt://127.0.0.1:1883",
    edge_id: Annotated[str, typer.Option(help="Whom to play.")] = "edge-test-001",
    interval: Annotated[float, typer.Option(min=0.01, help="Seconds between data messages.")] = 1.0,
) -> None:
    """A made-up edge that sends heartbeats and values, to try a server.

    Example: edge-collector simulate edge --broker mqtt://127.0.0.1:1883 --edge-id edge-test-001
    """
    from simulators.commands import run_edge

    _foreground(run_edge(echo=typer.echo, broker_url=broker, edge_id=edge_id, interval_s=interval))


def _foreground(simulator: Coroutine[object, object, None]) -> None:
    """Run it to its end; what a user can mend is one line and exit status 1."""
    import asyncio  # a fifth of what --help would take

    try:
        asyncio.run(simulator)
    except KeyboardInterrupt:
        pass
    except (OSError, ValueError, RuntimeError) as error:
        typer.secho(f"error: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
