"""The container image, where there is an engine that makes it."""

import shutil
import subprocess
from pathlib import Path

from bundle.target import Architecture
from bundle.wheels import ROOT
from collector import __version__


def save_image(architecture: Architecture, file: Path) -> str:
    """Build the image ``edge-collector:VERSION-ARCHITECTURE`` and save it as `file`, for `docker load`.

    Returns what came of it, for people. An engine that is not there, or can not build for a foreign architecture,
    costs the image alone: no file is left.
    """
    name = f"edge-collector:{__version__}-{architecture}"
    engine = shutil.which("docker")
    if engine is None or not _does(engine, "info"):
        return "without the container image: no engine (docker) runs here"
    platform = f"linux/{architecture}"
    if not _does(engine, "build", "--platform", platform, "--file", "docker/Dockerfile", "--tag", name, "."):
        return f"without the container image: the engine here did not build it for {platform}"
    if not _does(engine, "save", "--output", str(file), name):
        file.unlink(missing_ok=True)
        return "without the container image: the engine did not save it"
    return f"with the container image {name}"


def _does(*command: str) -> bool:
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=False).returncode == 0
