"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

EnvFile = Annotated[
    Path | None,
    typer.Option(help="Settings file; real environment variables win. Default: .env, if there is one.", metavar="FILE"),
]
ServiceEnvFile = Annotated[
    Path | None,
    typer.Option(
        help="Settings file; real environment variables win. Default: .env, else that of the installed service.",
        metavar="FILE",
    ),
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
DataFolder = Annotated[
    Path | None, typer.Option("--data-dir", help="Instead of DATA_DIR in the settings.", metavar="FOLDER")
]
