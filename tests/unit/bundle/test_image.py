"""The image in the bundle, with a program that plays the container engine: there is none where the tests run."""

from pathlib import Path

import pytest

from bundle.image import save_image
from bundle.target import Architecture
from collector import __version__

ENGINE = """\
#!/bin/sh
echo "$@" >> {log}
case "$1" in
    {failing}) exit 1 ;;
    save) echo image > "$3" ;;
esac
"""


def engine(folder: Path, failing: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put one into the path, whose command `failing` fails; returns the record of what it was asked."""
    program, log = folder / "docker", folder / "log"
    program.write_text(ENGINE.format(log=log, failing=failing), "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return log


def test_the_image_is_built_for_the_architecture_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = engine(tmp_path, "nothing", monkeypatch)
    assert save_image(Architecture.ARM64, tmp_path / "image.tar") == f"with the container image {name()}"
    assert (tmp_path / "image.tar").read_text("utf-8") == "image\n"
    assert log.read_text("utf-8").splitlines()[1:] == [
        f"build --platform linux/arm64 --file docker/Dockerfile --tag {name()} .",
        f"save --output {tmp_path / 'image.tar'} {name()}",
    ]


@pytest.mark.parametrize(
    ("failing", "reason"), [("info", "no engine"), ("build", "did not build it for linux/arm64"), ("save", "not save")]
)
def test_without_an_engine_that_can_the_bundle_has_no_image(
    failing: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine(tmp_path, failing, monkeypatch)
    assert reason in save_image(Architecture.ARM64, tmp_path / "image.tar")
    assert not (tmp_path / "image.tar").exists()


def name() -> str:
    return f"edge-collector:{__version__}-arm64"
