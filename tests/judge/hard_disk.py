"""A collector whose data folder is on a file system of a few megabytes that others may fill."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.judge.plant import Plant

_BLOCK = bytes(1 << 20)


class SmallDisk:
    """``SmallDisk(plant, megabytes)``: from the next start on ``DATA_DIR`` is a tmpfs that only the collector sees."""

    def __init__(self, plant: Plant, megabytes: int) -> None:
        mountable()
        self._plant = plant
        plant.data_dir.mkdir(parents=True, exist_ok=True)
        mount = f'mount -t tmpfs -o size={megabytes}m none "$0" && exec "$@"'
        inside = ("sh", "-c", mount, str(plant.data_dir), sys.executable, "-m", "collector", "run")
        plant.collector.command = ("unshare", "--user", "--map-root-user", "--mount", *inside)

    @property
    def folder(self) -> Path:
        """The data folder as the collector sees it."""
        return Path(f"/proc/{self._plant.collector.pid}/root{self._plant.data_dir}")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Somebody else fills it to the last byte until the block ends."""
        filler = self.folder / "filler"
        try:
            with suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(_BLOCK) == len(_BLOCK):
                    pass
            with suppress(OSError), filler.open("ab", buffering=0) as file:
                while file.write(b"x" * 512):
                    pass
            yield
        finally:
            filler.unlink()


def mountable() -> None:
    """Skip the test where a process may have no mounts of its own; on CI that is a failure."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "true"]
    if shutil.which("unshare") and subprocess.run(command, check=False, capture_output=True).returncode == 0:
        return
    (pytest.fail if os.environ.get("CI") else pytest.skip)("no mount namespaces here (unshare --user --mount)")
