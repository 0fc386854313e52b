"""The bill of materials (CycloneDX 1.5, JSON): what is in a bundle, read from its wheels themselves."""

import zipfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bundle.target import Target
from bundle.wheels import digest

Json = dict[str, object]
OWN = "edge-collector"


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package: what its metadata says, and the hashes of its wheels (one a Python, or one for all)."""

    metadata: Message
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        """As an index spells it: ``python-snap7``."""
        return canonicalize_name(str(self.metadata["Name"]))

    @property
    def purl(self) -> str:
        """Its name for all the world: ``pkg:pypi/python-snap7@3.3.0``."""
        return f"pkg:pypi/{self.name}@{self.metadata['Version']}"

    def licences(self) -> list[Json]:
        """What it says of its licence: an expression, its classifiers, or the first line of a text; may be empty."""
        if expression := self.metadata["License-Expression"]:
            return [{"expression": str(expression)}]
        classifiers = [each.split(" :: ") for each in self.metadata.get_all("Classifier", [])]
        named = [parts[-1] for parts in classifiers if parts[0] == "License" and parts[-1] != "OSI Approved"]
        if not named and (text := str(self.metadata["License"] or "").strip()):
            named = [text.splitlines()[0]]
        return [{"license": {"name": name}} for name in named]

    def component(self, kind: str = "library") -> Json:
        """As CycloneDX wants it."""
        return {
            "type": kind,
            "bom-ref": self.purl,
            "name": self.name,
            "version": str(self.metadata["Version"]),
            "licenses": self.licences(),
            "hashes": [{"alg": "SHA-256", "content": each} for each in self.hashes],
            "purl": self.purl,
        }

    def needs(self, targets: Iterable[Target]) -> set[str]:
        """The names of the packages that it requires on any of the targets, extras left out."""
        required = [Requirement(each) for each in self.metadata.get_all("Requires-Dist", [])]
        environments = [{**target.markers(), "extra": ""} for target in targets]
        return {
            canonicalize_name(each.name)
            for each in required
            if each.marker is None or any(each.marker.evaluate(environment) for environment in environments)
        }


def packages_in(folder: Path) -> list[Package]:
    """The packages that the wheels of a folder are of, by name."""
    wheels: dict[str, list[Path]] = defaultdict(list)
    for wheel in sorted(folder.glob("*.whl")):
        wheels["-".join(wheel.name.split("-")[:2])].append(wheel)
    found = [Package(metadata_of(files[0]), tuple(map(digest, files))) for files in wheels.values()]
    return sorted(found, key=lambda package: package.name)


def metadata_of(wheel: Path) -> Message:
    """A wheel's METADATA."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.count("/") == 1 and name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(name).decode("utf-8"))


def bill_of_materials(packages: Iterable[Package], targets: Iterable[Target], *, made_at: int) -> Json:
    """The whole document. The collector is what it is about, all else are its components."""
    by_name: Mapping[str, Package] = {package.name: package for package in packages}
    targets = tuple(targets)
    own = by_name[OWN]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(made_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": own.component("application"),
        },
        "components": [package.component() for package in by_name.values() if package is not own],
        "dependencies": [
            {"ref": each.purl, "dependsOn": sorted(by_name[name].purl for name in each.needs(targets) & by_name.keys())}
            for each in by_name.values()
        ],
    }
