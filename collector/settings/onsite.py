"""Settings of this machine and the PLCs around it."""

from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, SecretStr

from collector.settings import values as v
from collector.settings.reader import Variable


class StorageSettings(BaseModel):
    """Outbox and history."""

    data_dir: Annotated[
        Path,
        Variable(
            v.PATH,
            "Outbox, history, the last configurations, audit log",
        ),
    ] = Path("./data")
    buffer_max_mb: Annotated[
        int,
        Variable(
            v.whole_number(1, 10_000_000),
            "The outbox on disk, in MB; at most half of what is free",
        ),
    ] = 1024
    buffer_commit_ms: Annotated[
        int,
        Variable(
            v.whole_number(0, 60_000),
            "A message not acknowledged by then is written and fsynced, in ms; 0: before it is sent",
        ),
    ] = 100
    buffer_replay: Annotated[
        Literal["fifo", "live_first"],
        Variable(
            v.choice("fifo", "live_first"),
            "After an outage: the backlog first, or new data at once with the backlog beside it",
        ),
    ] = "fifo"
    buffer_replay_rate: Annotated[
        float | None,
        Variable(
            v.rate_or_auto(0.1, 1_000_000),
            "Messages/s while a backlog drains; auto follows the broker",
            otherwise="`auto`",
        ),
    ] = None
    history_max_mb: Annotated[int, Variable(v.whole_number(0, 10_000_000), "Local history on disk, in MB; 0 = off")] = (
        1024
    )
    history_raw_hours: Annotated[
        int, Variable(v.whole_number(0, 87_600), "Hours of raw values in the history; 0 = off")
    ] = 24


class PlcSettings(BaseModel):
    """PLCs."""

    string_encoding: Annotated[
        str,
        Variable(
            v.ENCODING,
            "Of strings in PLCs; euc-kr, ms949 and uhc mean cp949",
        ),
    ] = "utf-8"
    plc_ethernet: Annotated[
        Literal["auto", "modbus_tcp", "xgt"],
        Variable(
            v.choice("auto", "modbus_tcp", "xgt"),
            "What the protocol plc_ethernet means here",
        ),
    ] = "auto"
    device_networks: Annotated[
        tuple[v.Network, ...],
        Variable(
            v.NETWORKS,
            "The networks that devices may live in",
            otherwise="`any`",
        ),
    ] = ()


class CommandSettings(BaseModel):
    """Commands and writes."""

    writes_enabled: Annotated[bool, Variable(v.SWITCH, "The master switch of writing to PLCs")] = False
    write_allow_file: Annotated[
        Path | None,
        Variable(
            v.PATH,
            "A list of device/tag patterns, one a line: only these may be written, none where it can not be read",
        ),
    ] = None
    command_max_age_sec: Annotated[float, Variable(v.seconds(1, 86400), "Older commands are refused")] = 60
    command_require_timestamp: Annotated[bool, Variable(v.SWITCH, "Refuse commands without a timestamp")] = False


class MachineSettings(BaseModel):
    """This machine: page and logs."""

    http_host: Annotated[str, Variable(v.HOST, "Where the local page, API and metrics listen")] = "127.0.0.1"
    http_port: Annotated[int, Variable(v.whole_number(0, 65535), "Their port; 0 = off")] = 8090
    http_token: Annotated[
        SecretStr | None,
        Variable(
            v.SECRET,
            "Their token; one that was made is kept in DATA_DIR/http_token",
            secret=True,
            otherwise="made at first need",
        ),
    ] = None
    http_allowed_hosts: Annotated[
        tuple[str, ...],
        Variable(
            v.HOSTS,
            "Host names by which the page may be asked for",
            otherwise="the bound name",
        ),
    ] = ()
    edge_ip_address: Annotated[
        v.Address | None,
        Variable(
            v.ADDRESS,
            "In a container: the gateway's own address",
            otherwise="found",
        ),
    ] = None
    host_root: Annotated[Path, Variable(v.PATH, "In a container: a read-only mount of the host, for its figures")] = (
        Path("/")
    )
    site_tz: Annotated[
        ZoneInfo | None,
        Variable(
            v.TIME_ZONE,
            "Day and hour windows, page, text logs; the wire is always UTC",
            otherwise="the system's",
        ),
    ] = None
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        Variable(
            v.LOG_LEVEL,
            "How much is logged",
        ),
    ] = "INFO"
    log_format: Annotated[
        Literal["text", "json"], Variable(v.choice("text", "json"), "How a line of the log looks")
    ] = "text"
    log_dir: Annotated[
        Path | None, Variable(v.PATH, "Rotating edge.log and error.log in this folder, beside stdout")
    ] = None
