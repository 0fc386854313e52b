"""Small C libraries that are preloaded into a real process, to make its machine misbehave."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def compiled(source: str, folder: Path) -> Path:
    """The library made of a C file beside this one. Without a compiler the test is skipped; in CI it fails."""
    compiler = shutil.which("cc")
    if compiler is None and os.environ.get("CI"):
        pytest.fail("CI insists on a C compiler: apt-get install gcc libc6-dev")
    if compiler is None:
        pytest.skip("needs a C compiler: apt-get install gcc libc6-dev")
    library = folder / f"{source}.so"
    code = Path(__file__).with_name(source)
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", library, code, "-ldl"], check=True)
    return library
