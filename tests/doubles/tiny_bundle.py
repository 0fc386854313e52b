"""A bundle with the shipped install.sh whose collector can only tell its version: installed within a second."""

import platform
import shutil
import zipfile
from pathlib import Path

from bundle.archive import write_checksums
from bundle.target import this_python
from bundle.wheels import ROOT
from tests.doubles.wheelhouse import lock_of, repack

_MAIN = 'print("edge-collector {version}")\n'
_METADATA = "Metadata-Version: 2.1\nName: edge-collector\nVersion: {version}\n"
_WHEEL = "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def tiny_bundle(folder: Path, version: str, *, pythons: str | None = None, main: str = _MAIN) -> Path:
    """Make one for this machine below `folder`; returns it, unpacked. `main` is its `python -m collector`."""
    bundle = folder / f"bundle-{version}"
    wheels = bundle / "wheels"
    wheels.mkdir(parents=True)
    own = _own_wheel(wheels, version, main)
    repack(["pip"], wheels)
    (bundle / "requirements.lock").write_text(lock_of([own]), "utf-8")
    shutil.copyfile(ROOT / "bundle" / "install.sh", bundle / "install.sh")
    shutil.copyfile(ROOT / ".env.example", bundle / "env.example")
    (bundle / "BUNDLE").write_text(f"{version} {platform.machine()} {pythons or this_python()}\n", "utf-8")
    write_checksums(bundle)
    return bundle


def _own_wheel(folder: Path, version: str, main: str) -> Path:
    wheel, info = folder / f"edge_collector-{version}-py3-none-any.whl", f"edge_collector-{version}.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("collector/__init__.py", "")
        archive.writestr("collector/__main__.py", main.format(version=version))
        archive.writestr(f"{info}/METADATA", _METADATA.format(version=version))
        archive.writestr(f"{info}/WHEEL", _WHEEL)
        archive.writestr(f"{info}/RECORD", "")
    return wheel
