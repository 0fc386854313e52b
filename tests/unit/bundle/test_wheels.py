"""Which entries of the lock a machine needs: decided for that machine, not for the one that makes the bundle."""

import re

import pytest

from bundle.target import PYTHONS, Architecture, Target
from bundle.wheels import ROOT, entries_for

LOCK = (ROOT / "docker" / "requirements.lock").read_text("utf-8")
TARGETS = [Target(architecture, python) for architecture in Architecture for python in PYTHONS]


def names(entries: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", entries, re.MULTILINE))


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_all_of_the_shipped_lock_but_what_is_for_another_machine(target: Target) -> None:
    taken, for_all = names(entries_for(LOCK, target)), set(re.findall(r"^([a-z0-9._-]+)==\S+ \\$", LOCK, re.MULTILINE))
    assert len(for_all) > 30
    assert for_all - taken == set()
    assert "colorama" not in taken, "it is for Windows"
    assert "uvloop" in taken


def test_an_entry_is_taken_with_all_its_hashes() -> None:
    entry = (
        "one==1.0 ; python_version < '3.12' \\\n" + " \\\n".join(f"    --hash=sha256:{c * 64}" for c in "abc") + "\n"
    )
    lock = f"# a comment\n{entry}    # via something\n" + entry.replace("one", "two").replace("<", ">=")
    assert entries_for(lock, Target(Architecture.ARM64, "3.11")) == entry
    assert entries_for(lock, Target(Architecture.ARM64, "3.13")) == entry.replace("one", "two").replace("<", ">=")


def test_pip_is_told_the_target_and_a_glibc_that_is_old_enough() -> None:
    options = Target(Architecture.ARM64, "3.12").pip_options()
    said = list(zip(options[::2], options[1::2], strict=True))
    assert {("--python-version", "3.12"), ("--abi", "cp312"), ("--abi", "abi3"), ("--abi", "none")} <= set(said)
    platforms = {value for option, value in said if option == "--platform"}
    assert {"manylinux2014_aarch64", "manylinux_2_17_aarch64", "manylinux_2_28_aarch64"} <= platforms
    assert {platform for platform in platforms if "x86_64" in platform or platform.startswith("manylinux_2_3")} == set()
