"""The wall clock of a real process, set by the test: a small library is preloaded into it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_SOURCE = Path(__file__).with_name("wall_clock.c")


class WallClock:
    """Give `environment` to the process; `set_by` moves its wall clock while it runs, the monotonic one stays."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "moved_by"
        self._library = folder / "wall_clock.so"
        self.set_by(0)
        compiler = shutil.which("cc")
        if compiler is None and os.environ.get("CI"):
            pytest.fail("CI insists on a C compiler: apt-get install gcc libc6-dev")
        if compiler is None:
            pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", self._library, _SOURCE, "-ldl"], check=True)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that put a process under this clock."""
        return {"LD_PRELOAD": str(self._library), "WALL_CLOCK_FILE": str(self._file)}

    def set_by(self, seconds: int) -> None:
        """How far the process's wall clock is from the machine's."""
        draft = self._file.with_suffix(".new")
        draft.write_text(str(seconds), encoding="ascii")
        draft.replace(self._file)
