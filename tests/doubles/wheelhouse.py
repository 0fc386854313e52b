"""Wheels made of what is installed in this environment, so that a test installs real packages and asks no index."""

import platform
import re
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundle.wheels import entry_of

_OF_THE_INSTALLATION = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json"}


def installed_of(lock: Path) -> set[str]:
    """The packages of a lock that are installed here: those for other systems are not."""
    named = re.findall(r"^([a-z0-9._-]+)==", lock.read_text("utf-8"), re.MULTILINE)
    here: set[str] = {canonicalize_name(package.name) for package in distributions()}
    return set(named) & here


def with_its_needs(name: str) -> set[str]:
    """An installed package and all that it needs here, all the way down."""
    found = {(name, "")}
    waiting = [(name, "")]
    while waiting:
        asked, extra = waiting.pop()
        for each in map(Requirement, distribution(asked).requires or ()):
            if each.marker is None or each.marker.evaluate({"extra": extra}):
                needs = {(canonicalize_name(each.name), wanted) for wanted in ("", *each.extras)}
                waiting.extend(needs - found)
                found |= needs
    return {package for package, _ in found}


def repack(names: Iterable[str], folder: Path) -> list[Path]:
    """Write a wheel of each installed package, for this Python on this machine."""
    return [_repacked(distribution(name), folder) for name in sorted(names)]


def lock_of(wheels: Iterable[Path]) -> str:
    """A lock that knows these wheels and no others."""
    return "".join(map(entry_of, wheels))


def _repacked(package: Distribution, folder: Path) -> Path:
    said = package.read_text("WHEEL") or ""
    tag = "py3-none-any" if "Root-Is-Purelib: true" in said else _tag_of_this_machine()
    stem = f"{canonicalize_name(package.name).replace('-', '_')}-{package.version}"
    wheel = folder / f"{stem}-{tag}.whl"
    info = f"{stem}.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for file in package.files or ():
            path = _path_in_the_wheel(PurePosixPath(file), info)
            if path is not None:
                archive.write(Path(str(file.locate())), path)
        archive.writestr(f"{info}/RECORD", "".join(f"{each},,\n" for each in [*archive.namelist(), f"{info}/RECORD"]))
    return wheel


def _path_in_the_wheel(file: PurePosixPath, info: str) -> str | None:
    """None for what an installation adds: scripts, compiled code, its own records."""
    if ".." in file.parts or "__pycache__" in file.parts:
        return None
    if file.parts[0].endswith(".dist-info"):
        return None if file.name in _OF_THE_INSTALLATION else str(PurePosixPath(info, *file.parts[1:]))
    return str(file)


def _tag_of_this_machine() -> str:
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{python}-{python}-manylinux_2_17_{platform.machine()}"
