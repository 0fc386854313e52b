"""Row S21: `make bundle` signs what it made, with the key that it is given."""

import subprocess
from pathlib import Path

import pytest

from bundle.__main__ import Bundle, main
from tests.doubles.signer import Signer


@pytest.fixture
def only_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """All that goes into a bundle."""

    def gather(_bundle: Bundle, content: Path, _made_at: int) -> None:
        content.mkdir()
        (content / "word").write_text("마디\n", "utf-8")

    monkeypatch.setattr(Bundle, "_gather", gather)


def bundled(folder: Path) -> tuple[int, Path]:
    """The status of the command, and the checksum of the archive that it made."""
    status = main(["--arch", "amd64", "--no-image", "--output", str(folder / "dist")])
    return status, next((folder / "dist").glob("*.sha256"), folder / "none")


@pytest.mark.usefixtures("only_a_word")
def test_s21_the_archive_s_checksum_and_those_in_it_are_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signer, somebody = Signer(tmp_path), Signer(tmp_path, "somebody")
    monkeypatch.setenv("SIGNING_KEY", str(somebody.key))
    bundled(tmp_path)
    monkeypatch.setenv("SIGNING_KEY", str(signer.key))
    status, checksum = bundled(tmp_path)
    subprocess.run(["tar", "-xzf", checksum.with_suffix("")], cwd=checksum.parent, check=True)
    (inner,) = checksum.parent.glob("*/SHA256SUMS")
    assert status == 0
    assert [signer.vouches_for(file) for file in (checksum, inner)] == [True, True]
    assert not somebody.vouches_for(checksum)
    inner.write_text(inner.read_text("utf-8").replace("word", "sword"), "utf-8")
    assert not signer.vouches_for(inner)
    monkeypatch.setenv("SIGNING_KEY", "")
    bundled(tmp_path)
    assert list(checksum.parent.glob("*.sig")) == [], "what stayed there would be of another archive"


@pytest.mark.usefixtures("only_a_word")
def test_s21_without_a_key_nothing_is_signed_and_one_that_is_none_makes_no_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNING_KEY", "")
    status, checksum = bundled(tmp_path)
    assert (status, list(checksum.parent.glob("*.sig"))) == (0, [])
    Signer(tmp_path)  # skips where nothing can sign
    monkeypatch.setenv("SIGNING_KEY", str(tmp_path / "no-key"))
    status, checksum = bundled(tmp_path / "again")
    assert (status, checksum.exists()) == (1, False)
    assert "SHA256SUMS can not be signed with" in capsys.readouterr().err
