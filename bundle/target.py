"""What a wheel has to fit: an architecture and a Python."""

import sys
from dataclasses import dataclass
from enum import StrEnum

PYTHONS = ("3.11", "3.12", "3.13")
_OLDEST_TO_NEWEST_GLIBC = range(5, 29)  # 2.28: RHEL 8, Debian 10; what needs a newer one would not start there


class Architecture(StrEnum):
    """As container engines call it."""

    AMD64 = "amd64"
    ARM64 = "arm64"

    @property
    def machine(self) -> str:
        """As the kernel calls it (`uname -m`)."""
        return {"amd64": "x86_64", "arm64": "aarch64"}[self]


@dataclass(frozen=True, slots=True)
class Target:
    """Linux with glibc, CPython `python` (``"3.11"``)."""

    architecture: Architecture
    python: str

    def pip_options(self) -> list[str]:
        """For `pip download`: only wheels that can be installed there."""
        machine, tag = self.architecture.machine, f"cp{self.python.replace('.', '')}"
        glibcs = [f"manylinux_2_{minor}_{machine}" for minor in reversed(_OLDEST_TO_NEWEST_GLIBC)]
        platforms = [*glibcs, *(f"{name}_{machine}" for name in ("manylinux2014", "manylinux2010", "manylinux1"))]
        return [
            *("--python-version", self.python, "--implementation", "cp"),
            *(word for abi in (tag, "abi3", "none") for word in ("--abi", abi)),
            *(word for platform in platforms for word in ("--platform", platform)),
        ]

    def markers(self) -> dict[str, str]:
        """What the markers of a requirement are asked about, as that Python would answer."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.architecture.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


def this_python() -> str:
    """The Python that runs, as a `Target` names it."""
    return f"{sys.version_info.major}.{sys.version_info.minor}"
