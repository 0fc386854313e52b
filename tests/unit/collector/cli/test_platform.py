"""On a system that it is not made for, the program says so before anything else goes wrong."""

import subprocess
import sys

import pytest

ASKED = "import sys; sys.platform = {platform!r}; sys.argv[1:] = ['--version']; from collector.cli import main; main()"


@pytest.mark.parametrize(("platform", "noted"), [("linux", False), ("darwin", True), ("win32", True)])
def test_a_system_that_is_not_linux_is_named(platform: str, noted: bool) -> None:
    command = [sys.executable, "-c", ASKED.format(platform=platform)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (f"made for Linux; on {platform}" in ran.stderr) is noted
