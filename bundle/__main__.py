"""`make bundle`: one archive an architecture, in `dist/`."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bundle.archive import CHECKSUMS, pack, write_checksums
from bundle.image import save_image
from bundle.sbom import bill_of_materials, packages_in
from bundle.signature import sign, signature_of
from bundle.target import PYTHONS, Architecture, Target
from bundle.wheels import ROOT, NotMade, build_own, digest, download, entry_of
from collector import BUILT_MS, __version__
from collector.cli.install_service import Service

_AS_THEY_ARE = (
    "LICENSE",
    "README.md",
    "README.ko.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "docker/docker-compose.edge.yml",
    "bundle/install.sh",
)
_PYTHON_ON_SITE = Path("/opt/edge-collector/current/bin/python")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What goes into one archive, and the key that signs it."""

    architecture: Architecture
    pythons: Sequence[str]
    lock: Path
    signing_key: Path | None

    @property
    def name(self) -> str:
        """Of the folder that it unpacks to."""
        return f"edge-collector-{__version__}-linux-{self.architecture}"

    @property
    def targets(self) -> list[Target]:
        """Each Python that it serves."""
        return [Target(self.architecture, python) for python in self.pythons]

    def make(self, folder: Path, *, image: bool) -> Path:
        """Write the archive into `folder`, its checksum beside it, both signed if there is a key; returns it. Raises
        `NotMade`.
        """
        made_at = _time_of_the_source()
        archive = folder / f"{self.name}.tar.gz"
        with tempfile.TemporaryDirectory() as scratch:
            content = Path(scratch, self.name)
            self._gather(content, made_at)
            if image:
                print(f"  {save_image(self.architecture, content / 'image.tar')}")
            write_checksums(content)
            self._sign(content / CHECKSUMS)
            pack(content, archive, made_at=made_at)
        checksum = archive.with_name(f"{archive.name}.sha256")
        checksum.write_text(f"{digest(archive)}  {archive.name}\n", "utf-8")
        self._sign(checksum)
        return archive

    def _sign(self, file: Path) -> None:
        if self.signing_key is None:
            signature_of(file).unlink(missing_ok=True)  # of an earlier file of this name, signed
        else:
            sign(file, self.signing_key)

    def _gather(self, content: Path, made_at: int) -> None:
        wheels = content / "wheels"
        wheels.mkdir(parents=True)
        for target in self.targets:
            download(self.lock, target, wheels)
        own = build_own(wheels)
        lock = self.lock.read_text("utf-8") + entry_of(own)
        (content / "requirements.lock").write_text(lock, "utf-8")
        materials = bill_of_materials(packages_in(wheels), self.targets, made_at=made_at)
        (content / "sbom.cdx.json").write_text(json.dumps(materials, ensure_ascii=False, indent=1) + "\n", "utf-8")
        for file in _AS_THEY_ARE:
            shutil.copyfile(ROOT / file, content / Path(file).name)
        shutil.copyfile(ROOT / ".env.example", content / "env.example")
        shutil.copytree(ROOT / "docs", content / "docs")
        (content / "edge-collector.service").write_text(Service(_PYTHON_ON_SITE).unit(), "utf-8")
        said = [__version__, self.architecture.machine, *self.pythons]
        (content / "BUNDLE").write_text(" ".join(said) + "\n", "utf-8")


def _time_of_the_source() -> int:
    """When its last commit was made; without git the date that the version itself carries."""
    asked = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(asked.stdout) if asked.returncode == 0 and asked.stdout.strip() else BUILT_MS // 1000


def main(arguments: Sequence[str]) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="make bundle", description=__doc__)
    parser.add_argument("--arch", nargs="+", type=Architecture, default=list(Architecture), choices=list(Architecture))
    parser.add_argument("--python", nargs="+", default=PYTHONS, choices=PYTHONS)
    parser.add_argument("--lock", type=Path, default=ROOT / "docker" / "requirements.lock")
    parser.add_argument("--output", type=Path, default=ROOT / "dist")
    parser.add_argument("--no-image", action="store_true", help="leave the container image out")
    parser.add_argument("--signing-key", type=Path, default=os.environ.get("SIGNING_KEY") or None, help="of OpenSSH")
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    for architecture in asked.arch:
        print(f"Bundle for {architecture}, Python {', '.join(asked.python)} ...")
        bundle = Bundle(architecture, asked.python, asked.lock, asked.signing_key)
        try:
            archive = bundle.make(asked.output, image=not asked.no_image)
        except NotMade as trouble:
            print(f"error: {trouble}", file=sys.stderr)
            return 1
        print(f"  {archive}  {archive.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
