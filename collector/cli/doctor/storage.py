"""Looks at the data folder: whose it is, whether it can be written, and whether there is room."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from collector.cli.doctor.finding import Finding, bad, good, note
from collector.settings import Settings

LITTLE_ROOM_MB = 64


def look_at_data_folder(settings: Settings) -> Iterator[Finding]:
    """What there is to say of it. A folder that is not there yet is not made."""
    folder = settings.data_dir.absolute()
    place = next(place for place in (folder, *folder.parents) if place.exists())
    if not place.is_dir():
        yield bad("data folder", f"{place} is no folder", "DATA_DIR")
        return
    if reason := _not_writable(place):
        remedy = f"run this as the collector's user, or: chown -R USER {folder}; mount it for writing"
        yield bad("data folder", f"{folder}: {reason}", remedy)
        return
    if place == folder and folder.stat().st_mode & 0o007:
        yield note("data folder", f"{folder} can be looked into by others", f"chmod 700 {folder}")
    yield good("data folder", f"{folder} can be written" if place == folder else f"{folder} can be made")
    yield _room(place, settings)


def belongs_to_us(folder: Path) -> bool:
    """Whether it is ours. What root leaves in another user's folder can not be read by that one."""
    try:
        return folder.stat().st_uid == os.geteuid()
    except OSError:
        return False


def _room(place: Path, settings: Settings) -> Finding:
    usage = shutil.disk_usage(place)
    free_mb = usage.free >> 20
    most = min(settings.buffer_max_mb, free_mb // 2)
    said = f"{free_mb:,} MB free; an outage may fill {most:,} MB of it"
    if free_mb < LITTLE_ROOM_MB:
        return bad("disk", said, "make room: the oldest data goes when there is none")
    if most < settings.buffer_max_mb:
        return note("disk", said, f"BUFFER_MAX_MB={settings.buffer_max_mb} needs twice that much free")
    return good("disk", said)


def _not_writable(folder: Path) -> str | None:
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"x")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or str(error)
    return None
