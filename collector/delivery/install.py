"""What tells one installation from another that has, by mistake, the same edge id."""

import hashlib
import socket
import uuid
from pathlib import Path


def install_id(data_dir: Path) -> str:
    """Like ``gw-7 3f9a2c1b``: the machine's name, and a mark of its network card and data folder.

    Kept in no file: a copied memory card would bring it along.
    """
    marks = f"{uuid.getnode():012x} {data_dir.resolve()}"
    return f"{socket.gethostname()} {hashlib.sha256(marks.encode()).hexdigest()[:8]}"
