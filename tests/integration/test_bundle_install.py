"""What install.sh does on site: upgrade, way back, refusals; with a collector that can only tell its version."""

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bundle.archive import CHECKSUMS, write_checksums
from bundle.signature import sign
from bundle.target import PYTHONS, this_python
from tests.doubles.signer import Signer
from tests.doubles.tiny_bundle import tiny_bundle

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="a bundle is for Linux"),
    pytest.mark.skipif(this_python() not in PYTHONS, reason=f"a bundle is for Python {PYTHONS}"),
    pytest.mark.timeout(900),  # some seconds of work: on a slow and busy machine far more
]

_SYSTEMCTL = """\
#!/bin/sh
echo "$@" >> {log}
case $1 in
    show) echo "ExecStart={{ path={prefix}/current/bin/python ; }}" ;;
    try-restart) readlink {prefix}/current | grep -q -v -- "{bad}" ;;
esac
"""

_PYTHON_IN_A_HOME = """\
#!/bin/sh
[ "$1" = -c ] || exec {python} "$@"
code=$2
shift 2
exec {python} -c "import sys; sys.base_prefix = '/home/kim/.pyenv/versions/3'
$code" "$@"
"""


class Site:
    """A machine on site: a folder to install into and, after `serve`, a service of systemd that runs from it."""

    def __init__(self, folder: Path) -> None:
        self.prefix = folder / "opt"
        self._bin = folder / "bin"
        self._log = folder / "systemctl.log"

    def install(self, bundle: Path, *options: str) -> tuple[int, str]:
        """Run the bundle's install.sh; returns its status and what it said."""
        command = ["sh", str(bundle / "install.sh"), "--prefix", str(self.prefix), "--python", sys.executable, *options]
        environment = {"PATH": f"{self._bin}:/usr/bin:/bin"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def rollback(self) -> tuple[int, str]:
        """With the install.sh that stays: the bundle may be gone."""
        return self.install(self.prefix, "--rollback")

    def serve(self, *, unless: str = "nothing") -> None:
        """Have systemd run it from now on; a version of this name does not start."""
        self._bin.mkdir()
        program = self._bin / "systemctl"
        program.write_text(_SYSTEMCTL.format(log=self._log, prefix=self.prefix, bad=unless), "utf-8")
        program.chmod(0o755)

    @property
    def running(self) -> str:
        """What the installed program says of itself."""
        program = self.prefix / "bin" / "edge-collector"
        clean = {"PATH": "/usr/bin:/bin"}  # a PYTHONPATH of this checkout would be found before what was installed
        return subprocess.run([str(program)], env=clean, capture_output=True, text=True, check=True).stdout.split()[-1]

    @property
    def kept(self) -> list[str]:
        """The versions that are there."""
        return sorted(each.name.partition("-")[0] for each in (self.prefix / "versions").iterdir())

    @property
    def restarts(self) -> int:
        """How often the service was asked to start anew."""
        return len(re.findall("restart", self._log.read_text("utf-8")))


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [tiny_bundle(folder, version) for version in ("1.0", "2.0", "3.0")]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_an_upgrade_keeps_the_version_before_and_the_way_back_goes_both_ways(site: Site, bundles: list[Path]) -> None:
    for bundle in bundles[:2]:
        status, said = site.install(bundle)
        assert status == 0, said
    assert (site.running, site.kept) == ("2.0", ["1.0", "2.0"])
    assert site.rollback()[0] == 0
    assert site.running == "1.0"
    assert site.rollback()[0] == 0
    assert site.running == "2.0"
    assert site.install(bundles[2])[0] == 0
    assert (site.running, site.kept) == ("3.0", ["2.0", "3.0"])


def test_the_same_again_changes_nothing_and_mends_what_a_power_cut_left(site: Site, bundles: list[Path]) -> None:
    assert site.install(bundles[0])[0] == 0
    status, said = site.install(bundles[0])
    assert (status, "is there already" in said, site.kept) == (0, True, ["1.0"])
    status, said = site.rollback()
    assert (status, "no version before" in said) == (1, True)
    (site.prefix / "current" / "complete").unlink()
    status, said = site.install(bundles[0])
    assert (status, "Installing" in said, site.running) == (0, True, "1.0")


def test_the_service_is_restarted_once_with_each_change(site: Site, bundles: list[Path]) -> None:
    site.serve()
    assert site.install(bundles[0])[0] == 0
    assert site.install(bundles[1])[0] == 0
    assert site.install(bundles[1])[0] == 0
    assert site.rollback()[0] == 0
    assert site.restarts == 3


def test_a_version_that_does_not_start_gives_way_to_the_one_before(site: Site, bundles: list[Path]) -> None:
    site.serve(unless="2.0")
    assert site.install(bundles[0])[0] == 0
    status, said = site.install(bundles[1])
    assert (status, site.running) == (1, "1.0")
    assert "2.0-" in said
    assert "runs again" in said


def test_a_version_that_can_not_even_be_asked_is_never_switched_to(
    site: Site, bundles: list[Path], tmp_path: Path
) -> None:
    assert site.install(bundles[0])[0] == 0
    status, said = site.install(tiny_bundle(tmp_path, "2.1", main="raise SystemExit('{version} is broken')"))
    assert (status, site.running) == (1, "1.0")
    assert "what ran before runs on" in said


def test_s21_a_damaged_or_foreign_wheel_is_not_installed(site: Site, tmp_path: Path) -> None:
    bundle = tiny_bundle(tmp_path, "1.0")
    (wheel,) = (bundle / "wheels").glob("edge_collector*")
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    status, said = site.install(bundle)
    assert (status, f"wheels/{wheel.name}: FAILED" in said) == (1, True)

    sums = bundle / "SHA256SUMS"  # somebody who mends the checksums too meets the lock's hashes
    new = subprocess.run(["sha256sum", str(wheel)], capture_output=True, text=True, check=True).stdout.split()[0]
    sums.write_text(re.sub(rf"^\w+(  wheels/{wheel.name})$", rf"{new}\1", sums.read_text("utf-8"), flags=re.MULTILINE))
    status, said = site.install(bundle)
    assert (status, "DO NOT MATCH THE HASHES" in said) == (1, True)
    assert not (site.prefix / "current").exists()


def test_a_service_is_given_no_python_that_it_can_not_see(site: Site, bundles: list[Path], tmp_path: Path) -> None:
    homely = tmp_path / "python"
    homely.write_text(_PYTHON_IN_A_HOME.format(python=sys.executable), "utf-8")
    homely.chmod(0o755)
    status, said = site.install(bundles[0], "--python", str(homely), "--service")
    assert (status, "outside of /home and /root" in said) == (1, True)
    assert not (site.prefix / "current").exists()
    assert site.install(bundles[0], "--python", str(homely))[0] == 0


def test_what_does_not_fit_the_machine_is_said_before_anything_is_done(
    site: Site, bundles: list[Path], tmp_path: Path
) -> None:
    status, said = site.install(tiny_bundle(tmp_path, "1.1", pythons="3.99"))
    assert (status, "one of 3.99" in said) == (1, True)
    status, said = site.install(bundles[0], "--frobnicate")
    assert (status, "unknown: --frobnicate" in said) == (2, True)
    other = tiny_bundle(tmp_path, "1.2")
    (other / "BUNDLE").write_text(f"1.2 z80 {this_python()}\n", "utf-8")
    (other / "SHA256SUMS").write_text("", "utf-8")
    status, said = site.install(other)
    assert (status, f"is for z80, this machine is {platform.machine()}" in said) == (1, True)
    assert not (site.prefix / "current").exists()


# --- signed archives


def signed(bundle: Path, signer: Signer) -> Path:
    """The bundle, its checksums signed."""
    sign(bundle / CHECKSUMS, signer.key)
    return bundle


def test_s21_what_is_signed_is_installed_and_its_signer_is_asked_for_at_each_upgrade(
    site: Site, tmp_path: Path
) -> None:
    signer = Signer(tmp_path)
    first = signed(tiny_bundle(tmp_path, "1.0"), signer)
    status, said = site.install(first, "--signers", str(signer.signers))
    assert (status, site.running) == (0, "1.0"), said
    unsigned = tiny_bundle(tmp_path, "2.0")
    status, said = site.install(unsigned)
    assert (status, "this archive is not signed" in said, site.running) == (1, True, "1.0")
    # By the install.sh that is there already: what comes with an archive would leave the question out.
    (unsigned / "install.sh").write_text("exit 0\n", "utf-8")
    status, said = site.install(site.prefix, "--from", str(unsigned))
    assert (status, "this archive is not signed" in said) == (1, True)
    second = signed(tiny_bundle(tmp_path, "3.0"), signer)
    status, said = site.install(site.prefix, "--from", str(second))
    assert (status, site.running) == (0, "3.0"), said
    assert site.rollback()[0] == 0
    assert site.running == "1.0"


def test_s21_what_somebody_else_signed_or_changed_is_not_installed(site: Site, tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    trusted = ("--signers", str(signer.signers))
    other = signed(tiny_bundle(tmp_path, "1.0"), Signer(tmp_path, "somebody"))
    changed = signed(tiny_bundle(tmp_path, "1.1"), signer)
    (changed / "requirements.lock").write_text("", "utf-8")
    write_checksums(changed)
    elsewhere = tiny_bundle(tmp_path, "1.2")
    command = ("ssh-keygen", "-Y", "sign", "-f", str(signer.key), "-n", "mail", str(elsewhere / CHECKSUMS))
    subprocess.run(command, check=True, capture_output=True)
    for bundle in (other, changed, elsewhere):
        status, said = site.install(bundle, *trusted)
        assert (status, "the signature is of no key of" in said) == (1, True), said
    added = signed(tiny_bundle(tmp_path, "1.3"), signer)
    (added / "wheels" / "pip-0.whl").write_bytes(b"found before the real one")
    status, said = site.install(added, *trusted)
    assert (status, "not of this archive" in said, "wheels/pip-0.whl" in said) == (1, True, True)
    status, said = site.install(added, "--signers", "nowhere")
    assert (status, "there is no such file" in said) == (1, True)
    assert not (site.prefix / "current").exists()
    assert not (site.prefix / "allowed_signers").exists()
