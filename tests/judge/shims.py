"""The C shims that are preloaded into a collector: compiled at first need, and their environment."""

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

_SOURCES = Path(__file__).with_name("shims")
_FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def recorded(folder: Path, log: Path) -> dict[str, str]:
    """The environment of a process whose work below `folder` is noted in `log`."""
    return {
        "LD_PRELOAD": str(_built("recorded_disk")),
        "JUDGE_DISK_FOLDER": str(folder.resolve()),
        "JUDGE_DISK_LOG": str(log.resolve()),
    }


class Mood:
    """A disk that can be told how to behave: ``Mood(file).environment`` for the process, `set` at any time."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set("")

    @property
    def environment(self) -> dict[str, str]:
        """For the process whose disk it is."""
        return {"LD_PRELOAD": str(_built("moody_disk")), "JUDGE_DISK_MOOD": str(self._file.resolve())}

    def set(self, mood: str) -> None:
        """``slow 500``, ``eio 3``, ``eio 0``, or empty: see the shim."""
        draft = self._file.with_suffix(".new")
        draft.write_text(mood, encoding="ascii")
        draft.replace(self._file)


def preloadable() -> None:
    """Skip the test where there is no C compiler; on CI that is a failure."""
    if shutil.which("cc") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no C compiler (cc) for the judge's shims")


@cache
def _built(name: str) -> Path:
    preloadable()
    target = Path(tempfile.mkdtemp(prefix="judge-shims-")) / f"{name}.so"
    subprocess.run(["cc", *_FLAGS, "-o", target, _SOURCES / f"{name}.c", "-ldl"], check=True)
    return target
