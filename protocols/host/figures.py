"""Asks the operating system. Each function gives the figures of one source by item and figure; what is not in the
answer is not in this machine. May block: a disk that hangs hangs its caller."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import psutil

from protocols.host.addresses import FIGURES, Source
from protocols.host.first_process import interface_counters, tcp_states

Figures: TypeAlias = Mapping[tuple[str, str], int | float]

OWN_ROOT = Path("/")

_PROCESSOR_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal", "acpitz")
_PSUTILS_NAMES = {"errors_in": "errin", "errors_out": "errout", "dropped_in": "dropin", "dropped_out": "dropout"}


def look_below(host_root: Path) -> None:
    """Read what the kernel says of the machine below `host_root` from now on, in all of this process."""
    if (host_root / "proc").is_dir():
        psutil.PROCFS_PATH = str(host_root / "proc")


def read_figures(source: Source, item: str, host_root: Path = OWN_ROOT) -> Figures:
    """What the machine has of a source now; of `Source.DISK` only the one mount point `item`. Raises `OSError`.

    `host_root` is where the machine's own files are: in a container a mount of them.
    """
    try:
        return _of_the_host(source, item, host_root) if host_root != OWN_ROOT else _read(source, item)
    except NotImplementedError:
        return {}
    except psutil.Error as error:
        raise OSError(str(error)) from None


def _of_the_host(source: Source, item: str, host_root: Path) -> Figures:
    """What differs between a container and its host; all else is the kernel's, which they share."""
    match source:
        case Source.DISK:
            below = _disk(str(host_root / item.lstrip("/")))
            return {(item, figure): value for (_, figure), value in below.items()}
        case Source.NET:
            return interface_counters(host_root / "proc")
        case Source.CONNECTIONS:
            return _counted(tcp_states(host_root / "proc"))
        case _:
            return _read(source, item)


def _read(source: Source, item: str) -> Figures:
    match source:
        case Source.LOAD:
            return _load()
        case Source.MEMORY:
            return _attributes(source, {"": psutil.virtual_memory()})
        case Source.SWAP:
            return _attributes(source, {"": psutil.swap_memory()})
        case Source.DISK:
            return _disk(item)
        case Source.DISK_IO:
            return _attributes(source, psutil.disk_io_counters(perdisk=True) or {})
        case Source.NET:
            return _attributes(source, psutil.net_io_counters(pernic=True) or {})
        case Source.CONNECTIONS:
            # TCP alone: other kinds have no states.
            return _counted(connection.status.lower() for connection in psutil.net_connections(kind="tcp"))
        case Source.TEMPERATURE:
            return _temperatures()
        case Source.UPTIME:
            return {("", ""): _uptime_s()}
        case Source.CPU:
            raise ValueError("a processor's load is a difference of two readings: see CpuMeter")


class CpuMeter:
    """The processors' load since the last reading, in percent."""

    def __init__(self) -> None:
        self._before = _cpu_ticks()

    def read(self) -> Figures:
        """All processors together (item "") and each (item "0", "1", …); none that did not tick meanwhile."""
        before, self._before = self._before, _cpu_ticks()
        return {
            (item, "percent"): round(max(0.0, min(100.0, 100 * (busy - before[item][0]) / span)), 1)
            for item, (busy, total) in self._before.items()
            if item in before and (span := total - before[item][1]) > 0
        }


def _cpu_ticks() -> dict[str, tuple[float, float]]:
    """Busy and total seconds of all processors and of each. A guest's time is in its host's user time already."""
    times = {"": psutil.cpu_times()} | {str(n): each for n, each in enumerate(psutil.cpu_times(percpu=True))}
    ticks: dict[str, tuple[float, float]] = {}
    for item, spent in times.items():
        total = sum(spent) - getattr(spent, "guest", 0.0) - getattr(spent, "guest_nice", 0.0)
        ticks[item] = (total - spent.idle - getattr(spent, "iowait", 0.0), total)
    return ticks


def _attributes(source: Source, answers: Mapping[str, object]) -> Figures:
    return {
        (item, figure): value
        for item, answer in answers.items()
        for figure in FIGURES[source]
        if isinstance(value := getattr(answer, _PSUTILS_NAMES.get(figure, figure), None), int | float)
    }


def _load() -> Figures:
    return {("", span): round(load, 2) for span, load in zip(FIGURES[Source.LOAD], psutil.getloadavg(), strict=True)}


def _disk(mount_point: str) -> Figures:
    try:
        figures = dict(_attributes(Source.DISK, {mount_point: psutil.disk_usage(mount_point)}))
        inodes = os.statvfs(mount_point) if hasattr(os, "statvfs") else None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    if inodes is not None and inodes.f_files > 0:  # btrfs and the like have as many as they need, and say 0
        # Reckoned as df does: what only root may use is not there for anybody else.
        used = inodes.f_files - inodes.f_ffree
        figures[mount_point, "inodes_percent"] = round(100 * used / (used + inodes.f_favail or 1), 1)
    return figures


def _counted(states: Iterable[str]) -> Figures:
    counts = dict.fromkeys(FIGURES[Source.CONNECTIONS], 0)
    for state in states:
        counts["total"] += 1
        if state in counts:
            counts[state] += 1
    return {("", state): count for state, count in counts.items()}


def _temperatures() -> Figures:
    """Each sensor chip by its name, its first sensor counting; ``cpu`` is the processor's, whatever its chip."""
    read = getattr(psutil, "sensors_temperatures", None)
    chips = read() if read else {}
    figures = {("", chip): round(float(sensors[0].current), 1) for chip, sensors in chips.items() if sensors}
    processor = next((figures["", chip] for chip in _PROCESSOR_SENSORS if ("", chip) in figures), None)
    return figures if processor is None else {**figures, ("", "cpu"): processor}


def _uptime_s() -> int:
    """By the clock that runs through sleep and is never set, where there is one."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return int(time.clock_gettime(time.CLOCK_BOOTTIME))
    return int(time.time() - psutil.boot_time())
