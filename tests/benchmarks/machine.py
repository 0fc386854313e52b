"""What the figures were measured on."""

import os
import platform
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import psutil

from collector import __version__


def describe(folder: Path) -> dict[str, str]:
    """The machine, in words; `folder` is where the outbox was."""
    load = os.getloadavg()[0]
    return {
        "collector": f"{__version__}, {_commit()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": f"{os.cpu_count()} × {_processor()}, load {load:.2f} before the run",
        "memory": f"{psutil.virtual_memory().total / 1e9:.0f} GB",
        "system": f"{_distribution()}, {platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_version()}, {'uvloop' if find_spec('uvloop') else 'asyncio'} event loop",
        "storage": f"{_file_system(folder)}, SQLite {sqlite3.sqlite_version}",
    }


def _commit() -> str:
    """Of a clone, and whether its files are those of the commit."""
    command = ("git", "describe", "--always", "--dirty=, changed", "--exclude=*")
    try:
        told = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "no commit known"
    return f"commit {told.stdout.strip()}"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return "unknown distribution"


def _file_system(folder: Path) -> str:
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    places = (folder.resolve(), *folder.resolve().parents)
    return next((mounts[place] for place in places if place in mounts), "unknown file system")
