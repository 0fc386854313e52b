"""Commands that ask a PLC, without a collector."""

from typing import Annotated

import typer

from collector.cli.commands.options import (
    AnswerTimeout,
    CertificateFolder,
    DeviceHost,
    DevicePort,
    FieldsOfConnection,
    PasswordFile,
)
from collector.cli.commands.top import app


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
