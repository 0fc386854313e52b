"""What the gateway itself is doing: processor, memory, disk, temperature, address."""

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from collector.clock import Clock
from collector.status.own_address import address_of_host, own_address
from protocols.host.figures import OWN_ROOT, look_below

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

    def __init__(self, data_dir: Path, ip_address: str | None = None, host_root: Path = OWN_ROOT) -> None:
        look_below(host_root)
        self._data_dir = data_dir
        self._ip_address = ip_address
        self._host_root = host_root
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
                ip_address=self._ip_address or self._found_address(),
            )
        return self._latest

    def _found_address(self) -> str:
        found = None if self._host_root == OWN_ROOT else address_of_host(self._host_root / "proc")
        return found or own_address()


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
