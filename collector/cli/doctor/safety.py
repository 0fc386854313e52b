"""Looks at what somebody who means harm would look at: plain connections, certificates, writing, files of others."""

import os
import pwd
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from collector.cli.doctor.finding import Finding, bad, good, note
from collector.clock import Clock
from collector.delivery.certificate_watch import WARN_DAYS
from collector.delivery.mqtt.certificate import ends_at
from collector.settings import Settings
from collector.status.board import Board
from collector.status.insecure import CODE, show_insecure
from collector.web.hosts import is_loopback
from protocols.base import Connection

FILES_LOOKED_AT = 5_000
_DAY_MS = 86_400_000


def look_at_certificate(file: Path, clock: Clock) -> Finding:
    """Our own, for the broker."""
    renewal = "put a new certificate and key in the same files; the next connection uses them"
    try:
        end = ends_at(file)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        return bad("certificate", f"{file} can not be read: {reason}", "MQTT_CERT_FILE")
    days = (end.timestamp() * 1000 - clock.wall_ms()) / _DAY_MS
    if days < 0:
        return bad("certificate", f"{file} ended at {end:%Y-%m-%d %H:%M} UTC", renewal)
    said = f"{file} holds until {end:%Y-%m-%d}, {days:.0f} days"
    return note("certificate", said, renewal) if days < WARN_DAYS else good("certificate", said)


def look_at_exposure(settings: Settings, connections: Iterable[Connection], clock: Clock) -> Iterator[Finding]:
    """What can be read or changed by whoever is on the way; it works all the same."""
    board = Board(clock)
    show_insecure(board, settings, connections)
    if CODE in board.conditions:
        remedy = "mqtts://, https://, security_policy; nothing, if the network is your own"
        yield note("plain connections", board.conditions[CODE].detail, remedy)
    if settings.http_port and not is_loopback(settings.http_host):
        said = f"listens at {settings.http_host}: plain HTTP, with a token"
        yield note("page", said, "an SSH tunnel, or a proxy with TLS, where others can listen")
    if settings.writes_enabled and settings.write_allow_file is None:
        yield note("writing", "WRITES_ENABLED: every writable tag may be written", "WRITE_ALLOW_FILE names a few")


def look_at_owners(data_dir: Path) -> Finding | None:
    """Files that another user left in the data folder, as when the collector was run as root once."""
    if not data_dir.is_dir():
        return None
    owner = data_dir.stat().st_uid
    try:
        strangers = [path for path in islice(data_dir.rglob("*"), FILES_LOOKED_AT) if path.lstat().st_uid != owner]
    except OSError:
        return None  # it can not be looked into, which has a line of its own
    if not strangers:
        return None
    said = f"{len(strangers)} files belong to another user than the folder, e.g. {strangers[0]}"
    return bad("data folder", said, f"chown -R {_name(owner)} {data_dir.absolute()}")


def runs_as_another(data_dir: Path) -> Finding | None:
    """Whether this is another user than the collector's."""
    if not data_dir.is_dir() or (owner := data_dir.stat().st_uid) == os.geteuid():
        return None
    return note(
        "user", f"the data folder is {_name(owner)}'s, and this is {_name(os.geteuid())}", "run it as that user"
    )


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
