"""`make bundle` and its install.sh with no index, and the wheel alone: real packages, real environments.

No test asks an index: the wheels are made of what is installed here, and pip is given them in place of one. That pip
has those of `docker/requirements.lock` for each machine and each Python shows at every `make bundle`.
"""

import json
import os
import platform
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
from packaging.utils import canonicalize_name

from bundle.sbom import metadata_of
from bundle.target import PYTHONS, Architecture, this_python
from bundle.wheels import ROOT, build_own, digest
from collector import __version__
from tests.doubles.documentation import links_of
from tests.doubles.wheelhouse import installed_of, lock_of, repack, with_its_needs

ARCHITECTURES = {architecture.machine: architecture for architecture in Architecture}
NOWHERE = "http://127.0.0.1:1/"
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="a bundle is for Linux"),
    pytest.mark.skipif(this_python() not in PYTHONS, reason=f"a bundle is for Python {PYTHONS}"),
    pytest.mark.skipif(platform.machine() not in ARCHITECTURES, reason="a bundle is for amd64 and arm64"),
    pytest.mark.timeout(900),  # half a minute of work: on a slow and busy machine far more
]


def run(*command: object, folder: Path = ROOT, variables: Mapping[str, str] = MappingProxyType({})) -> str:
    """Run it, with no more of the environment than is named; returns what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables},
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout}"
    return done.stdout


@dataclass(frozen=True, slots=True)
class Wheelhouse:
    """A folder of wheels in place of an index; the lock knows those that the collector needs, Kafka's included."""

    wheels: Path
    lock: Path

    @property
    def for_pip(self) -> dict[str, str]:
        """The variables that have pip look here and nowhere else."""
        return {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> Wheelhouse:
    folder = tmp_path_factory.mktemp("wheelhouse")
    shipped = installed_of(ROOT / "docker" / "requirements.lock")
    lock = folder / "requirements.lock"
    lock.write_text(lock_of(repack(shipped, folder)), "utf-8")
    repack(with_its_needs("amqtt") - shipped, folder)
    return Wheelhouse(folder, lock)


@pytest.fixture(scope="module")
def unpacked(wheelhouse: Wheelhouse, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make bundle` makes for this machine, as it is unpacked on site."""
    folder = tmp_path_factory.mktemp("bundle")
    architecture = ARCHITECTURES[platform.machine()]
    asked = ("--arch", architecture, "--python", this_python(), "--lock", wheelhouse.lock, "--output", folder)
    run(sys.executable, "-m", "bundle", *asked, "--no-image", variables=wheelhouse.for_pip)
    name = f"edge-collector-{__version__}-linux-{architecture}"
    run("sha256sum", "-c", f"{name}.tar.gz.sha256", folder=folder)
    with tarfile.open(folder / f"{name}.tar.gz") as archive:
        assert {(entry.uid, entry.uname) for entry in archive} == {(0, "")}
    run("tar", "-xzf", f"{name}.tar.gz", folder=folder)
    return folder / name


def test_a_bundle_installs_with_no_index_and_the_collector_runs(unpacked: Path, tmp_path: Path) -> None:
    prefix = tmp_path / "opt"
    # A pip that listened to this machine's settings would ask there, and fail.
    install = ("sh", unpacked / "install.sh", "--prefix", prefix, "--python", sys.executable)
    said = run(*install, variables={"PIP_INDEX_URL": NOWHERE})
    assert f"edge-collector {__version__}" in said

    program = prefix / "bin" / "edge-collector"
    assert run(program, "--version", folder=tmp_path).strip() == f"edge-collector {__version__}"
    assert "1 device" in run(program, "check", ROOT / "docs" / "examples" / "host-metrics.json", folder=tmp_path)
    assert set(materials(unpacked).values()) == set(installed(prefix).items())
    asked = [str(program), "install-service", "--dry-run", "--env-file", str(unpacked / "env.example")]
    unit = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    assert f"ExecStart={prefix}/current/bin/python -P" in unit, "so that the unit holds over upgrades"


def test_a_bundle_has_what_a_site_without_internet_needs(unpacked: Path) -> None:
    there = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    assert {
        "install.sh",
        "docker-compose.edge.yml",
        "env.example",
        "edge-collector.service",
        "docs/offline.md",
    } <= there
    pages = [unpacked / name for name in there if name.endswith(".md")]
    assert [link for each in pages for link in links_of(each) if not leads_somewhere(each, link)] == []
    checked = {line.split("  ", 1)[1] for line in (unpacked / "SHA256SUMS").read_text("utf-8").splitlines()}
    assert checked == there - {"SHA256SUMS"}
    unit = (unpacked / "edge-collector.service").read_text("utf-8")
    assert "ExecStart=/opt/edge-collector/current/bin/python -P -m collector run" in unit


def leads_somewhere(page: Path, link: str) -> bool:
    """Whether it does so without internet; those that need it are none of the archive's."""
    return link.startswith(("https://", "#")) or (page.parent / link.partition("#")[0]).exists()


def test_s21_the_sbom_has_name_version_licence_and_hashes_of_every_wheel(unpacked: Path) -> None:
    document = json.loads((unpacked / "sbom.cdx.json").read_text("utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    listed = [document["metadata"]["component"], *document["components"]]
    hashes = {each["content"] for component in listed for each in component["hashes"]}
    assert hashes == {digest(wheel) for wheel in (unpacked / "wheels").glob("*.whl")}
    assert [component["name"] for component in listed if not component["licenses"]] == []
    for wheel in (unpacked / "wheels").glob("*.whl"):
        metadata = metadata_of(wheel)
        assert materials(unpacked)[digest(wheel)][1] == metadata["Version"]
    needs = {each["ref"]: each["dependsOn"] for each in document["dependencies"]}
    assert any(each.startswith("pkg:pypi/paho-mqtt@") for each in needs[f"pkg:pypi/edge-collector@{__version__}"])


def materials(unpacked: Path) -> dict[str, tuple[str, str]]:
    """Name and version by each hash that the SBOM has."""
    document = json.loads((unpacked / "sbom.cdx.json").read_text("utf-8"))
    listed = [document["metadata"]["component"], *document["components"]]
    return {each["content"]: (one["name"], one["version"]) for one in listed for each in one["hashes"]}


def installed(prefix: Path) -> dict[str, str]:
    """Version by name, as the pip that came along lists them."""
    listed = run(prefix / "current/bin/python", "-m", "pip", "list", "--format", "json")
    return {canonicalize_name(each["name"]): each["version"] for each in json.loads(listed)}


# --- the wheel alone


def test_s21_the_wheel_has_every_file_of_its_packages_and_is_the_same_when_built_again(tmp_path: Path) -> None:
    wheels = [build_own(tmp_path / folder) for folder in ("first", "second")]
    packed = set(zipfile.ZipFile(wheels[0]).namelist())
    packages = ("collector", "protocols", "fleet_client", "simulators")
    files = {path.relative_to(ROOT).as_posix() for each in packages for path in (ROOT / each).rglob("*.*")}
    assert {file for file in files if "__pycache__" not in file} - packed == set()
    assert {file.split("/")[0] for file in packed} == {*packages, f"edge_collector-{__version__}.dist-info"}
    assert digest(wheels[0]) == digest(wheels[1])


def test_the_demo_runs_from_the_wheel_with_its_extra_alone_in_an_empty_folder(
    wheelhouse: Wheelhouse, tmp_path: Path
) -> None:
    wheel, environment, empty = build_own(tmp_path), tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    asked = ("install", "--quiet", "--no-compile", "--disable-pip-version-check", f"{wheel}[demo]")
    run(sys.executable, "-m", "pip", "--python", environment / "bin/python", *asked, variables=wheelhouse.for_pip)
    said = run(environment / "bin/edge-collector", "demo", "--embedded", "--duration", "5", folder=empty)
    assert "Nothing was lost" in said
    assert list(empty.iterdir()) == []
