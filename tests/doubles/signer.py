"""Somebody who signs, with an OpenSSH key of their own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


class Signer:
    """A key below `folder`, and in `signers` the file that says to trust it. Skips the test without `ssh-keygen`."""

    def __init__(self, folder: Path, name: str = "release") -> None:
        if shutil.which("ssh-keygen") is None:
            lacking = "ssh-keygen is not installed; to run this test too: apt-get install openssh-client"
            (pytest.fail if os.environ.get("CI") else pytest.skip)(lacking)
        self.key = folder / name
        made = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key))
        subprocess.run(made, check=True, capture_output=True)
        self.signers = folder / f"{name}.signers"
        public = self.key.with_suffix(".pub").read_text("utf-8")
        self.signers.write_text(f'edge-collector namespaces="edge-collector" {public}', "utf-8")

    def vouches_for(self, file: Path) -> bool:
        """Whether ``FILE.sig`` is this signer's, for the file as it is, as docs/offline.md has it checked."""
        who = ("-f", str(self.signers), "-I", "edge-collector", "-n", "edge-collector")
        command = ("ssh-keygen", "-Y", "verify", *who, "-s", f"{file}.sig")
        with file.open("rb") as content:
            done = subprocess.run(command, stdin=content, capture_output=True, check=False)
        return done.returncode == 0
