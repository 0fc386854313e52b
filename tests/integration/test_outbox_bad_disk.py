"""The outbox in a process of its own, on disks that are full, read-only, failing or slow."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doubles.preloaded import compiled

PROGRAM = [sys.executable, "-m", "tests.doubles.outbox_on_bad_disk"]


def ended(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a scenario; what it says and asserts is this test's."""
    result = subprocess.run(
        command, env=os.environ | (environment or {}), capture_output=True, text=True, timeout=50, check=False
    )
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    print(result.stdout, end="")


def on_tmpfs(scenario: str, folder: Path, size: str) -> None:
    """In a mount namespace of its own; nothing else fills a disk for good. Without one: skipped, in CI it fails."""
    alone = ["unshare", "--map-root-user", "--mount"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("a mount namespace of its own is not allowed here")
    mount = f"mount -t tmpfs -o size={size} none {shlex.quote(str(folder))}"
    run = shlex.join([*PROGRAM, scenario, str(folder)])
    ended([*alone, "sh", "-c", f"{mount} && exec {run}"])


@pytest.fixture(scope="session")
def faulty_disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library to preload."""
    return compiled("disk_faults.c", tmp_path_factory.mktemp("disk"))


@pytest.mark.parametrize("scenario", ["full_disk", "full_from_the_start"])
def test_d4_a_full_disk_costs_only_the_oldest_and_heals(scenario: str, tmp_path: Path) -> None:
    on_tmpfs(scenario, tmp_path, "24m")


def test_d4_a_limit_on_the_size_of_files_heals(tmp_path: Path) -> None:
    ended([*PROGRAM, "file_size_limit", str(tmp_path)])


def test_d6_a_disk_that_is_read_only_at_the_start_heals(tmp_path: Path) -> None:
    on_tmpfs("read_only_at_start", tmp_path, "24m")


@pytest.mark.parametrize(
    ("row", "scenario"),
    [
        ("d6", "read_only_later"),
        ("d9", "fsync_fails"),
        ("d9", "fsync_fails_while_deleting_and_purging"),
        ("d10", "slow_fsync"),
    ],
)
def test_d6_d9_d10_a_faulty_disk_costs_nothing(row: str, scenario: str, faulty_disk: Path, tmp_path: Path) -> None:
    assert row in "d6 d9 d10"
    faults = {"LD_PRELOAD": str(faulty_disk), "DISK_FAULTS": str(tmp_path / "faults")}
    (tmp_path / "faults").write_text("0 0 0")
    ended([*PROGRAM, scenario, str(tmp_path)], faults)
