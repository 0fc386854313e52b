"""The wheels of a bundle: those of the lock by pip, our own by hatchling."""

import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

from packaging.requirements import Requirement

from bundle.target import Target

ROOT = Path(__file__).parents[1]
_ENTRY = re.compile(
    r"^(?P<requirement>[A-Za-z0-9][^\\\n]*?) *\\\n(?:    --hash=sha256:[0-9a-f]{64}[ \\]*\n)+", re.MULTILINE
)


class NotMade(Exception):
    """The bundle can not be made; the message says why, and what to do."""


def entries_for(lock: str, target: Target) -> str:
    """The entries of a lock, hashes included, whose markers hold on a target.

    pip asks the markers about the Python that it runs on itself, whatever `--python-version` says.
    """
    return "".join(entry[0] for entry in _ENTRY.finditer(lock) if _wanted(entry["requirement"], target))


def download(lock: Path, target: Target, folder: Path) -> None:
    """Have pip fetch every wheel that a target needs, from where this machine's pip gets its packages.

    Raises `NotMade` where one can not be had, or has none of the lock's hashes.
    """
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch, "requirements.txt")
        wanted.write_text(entries_for(lock.read_text("utf-8"), target), "utf-8")
        _run(
            *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
            *("--require-hashes", "--only-binary", ":all:", *target.pip_options()),
            *("--dest", str(folder), "--requirement", str(wanted)),
            trouble=f"the wheels for {target.architecture}, Python {target.python} can not be had",
        )


def build_own(folder: Path) -> Path:
    """Build the wheel of this source into a folder; the same source gives the same bytes. Raises `NotMade`."""
    _run(
        *(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)),
        trouble="the collector's own wheel can not be built",
    )
    (made,) = folder.glob("edge_collector-*.whl")
    return made


def entry_of(wheel: Path) -> str:
    """A wheel as an entry of a lock: name, version, hash."""
    name, version, *_ = wheel.name.split("-")
    return f"{name.replace('_', '-')}=={version} \\\n    --hash=sha256:{digest(wheel)}\n"


def digest(file: Path) -> str:
    """Its SHA-256 in hexadecimal."""
    return sha256(file.read_bytes()).hexdigest()


def _wanted(requirement: str, target: Target) -> bool:
    marker = Requirement(requirement).marker
    return marker is None or marker.evaluate(target.markers())


def _run(*command: str, trouble: str) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotMade(f"{trouble}:\n{_last_lines(done.stderr + done.stdout)}")


def _last_lines(said: str) -> str:
    return "\n".join(f"    {line}" for line in said.strip().splitlines()[-8:])
