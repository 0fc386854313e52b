"""The signature of a release, by an OpenSSH key: what checks it, `ssh-keygen`, is on most machines already."""

import subprocess
from pathlib import Path

from bundle.wheels import NotMade

NAMESPACE = "edge-collector"
"""What the key signs for: a signature made for anything else is none of a release."""


def signature_of(file: Path) -> Path:
    """Where the signature of a file is."""
    return file.with_name(f"{file.name}.sig")


def sign(file: Path, key: Path) -> Path:
    """Write ``FILE.sig``, in place of an older one; returns it. `key` is the private one, or the public one of a key
    that an agent holds. Raises `NotMade`.
    """
    signature = signature_of(file)
    signature.unlink(missing_ok=True)
    command = ("ssh-keygen", "-Y", "sign", "-f", str(key.expanduser()), "-n", NAMESPACE, str(file))
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise NotMade(f"ssh-keygen can not be run, which signs (apt-get install openssh-client): {error}") from None
    if done.returncode:
        raise NotMade(f"{file.name} can not be signed with {key}: {done.stderr.strip()}")
    return signature
