"""What the gateway itself is doing: processor, memory, disk, temperature, address."""

import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from collector.clock import Clock

ROUTES = Path("/proc/net/route")
FIGURES_AGE_S = 5.0
PROCESSOR_SENSORS = ("coretemp", "k10temp", "cpu_thermal", "cpu-thermal", "soc_thermal", "acpitz")


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """Percentages are 0 to 100; `disk_percent` is of the filesystem that holds the data folder."""

    cpu_percent: float
    memory_percent: float
    disk_percent: float
    temperature_c: float | None
    ip_address: str


class Machine:
    """Reads the figures. The processor's load is the mean since the last reading."""

    def __init__(self, data_dir: Path, ip_address: str | None = None) -> None:
        self._data_dir = data_dir
        self._ip_address = ip_address
        self._latest = MachineFigures(0.0, 0.0, 0.0, None, ip_address or "127.0.0.1")
        self._latest = self.figures()

    @staticmethod
    def uptime_s() -> float:
        """Seconds since the machine was booted."""
        return time.time() - psutil.boot_time()

    def figures(self) -> MachineFigures:
        """All figures now, in a fraction of a millisecond; the last ones where the machine gives none."""
        with suppress(OSError):  # no descriptor left, no memory: the heartbeat is needed all the more
            self._latest = MachineFigures(
                cpu_percent=psutil.cpu_percent(interval=None),
                memory_percent=psutil.virtual_memory().percent,
                disk_percent=_disk_percent(self._data_dir),
                temperature_c=_processor_temperature(),
                ip_address=self._ip_address or _own_address(),
            )
        return self._latest


class RestingMachine:
    """The same figures for everybody who asks within a few seconds: asked too often, the processor's load is noise."""

    def __init__(self, machine: Machine, clock: Clock) -> None:
        self._machine = machine
        self._clock = clock
        self._figures = machine.figures()
        self._read_at = clock.monotonic()

    def figures(self) -> MachineFigures:
        """At most five seconds old."""
        if self._clock.monotonic() - self._read_at > FIGURES_AGE_S:
            self._figures, self._read_at = self._machine.figures(), self._clock.monotonic()
        return self._figures


def _disk_percent(folder: Path) -> float:
    """How full the filesystem is that holds the folder, or would hold it; 100 for one that does not answer."""
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), Path("/"))
    try:
        return psutil.disk_usage(str(existing)).percent
    except OSError:
        return 100.0


def _processor_temperature() -> float | None:
    """The processor's sensor, else the first there is, else None (most virtual machines, macOS)."""
    read = getattr(psutil, "sensors_temperatures", None)
    sensors = read() if read else {}
    for name in (*PROCESSOR_SENSORS, *sensors):
        if sensors.get(name):
            return round(float(sensors[name][0].current), 1)
    return None


def _own_address() -> str:
    """The IPv4 address of the interface that holds the default route, else the first that is not loopback."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    addresses = {
        name: entry.address
        for name, entries in psutil.net_if_addrs().items()
        for entry in entries
        if name in up and entry.family == socket.AF_INET and not entry.address.startswith("127.")
    }
    first = next(iter(addresses.values()), "127.0.0.1")
    return addresses.get(_default_interface() or "", first)


def _default_interface() -> str | None:
    try:
        rows = [line.split() for line in ROUTES.read_text(encoding="ascii").splitlines()[1:]]
    except OSError:
        return None
    return next((row[0] for row in rows if len(row) > 1 and row[1] == "00000000"), None)
