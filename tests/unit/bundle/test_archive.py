"""The archive: nobody's files, and the same bytes whenever and by whomever it is packed."""

import os
import tarfile
from pathlib import Path

from bundle.archive import CHECKSUMS, pack, write_checksums
from bundle.wheels import digest


def packed(folder: Path, *, mode: int, changed_at: int) -> Path:
    content = folder / "bundle"
    (content / "docs").mkdir(parents=True)
    for name in ("install.sh", "docs/설치.md"):
        (content / name).write_text(name, "utf-8")
        (content / name).chmod(mode)
        os.utime(content / name, (changed_at, changed_at))
    write_checksums(content)
    pack(content, folder / "bundle.tar.gz", made_at=1_000_000_000)
    return folder / "bundle.tar.gz"


def test_the_same_content_gives_the_same_archive(tmp_path: Path) -> None:
    one = packed(tmp_path / "one", mode=0o600, changed_at=1)
    other = packed(tmp_path / "other", mode=0o775, changed_at=2_000_000_000)
    assert digest(one) == digest(other)


def test_it_unpacks_to_one_folder_whose_files_are_readable_by_all_and_checked(tmp_path: Path) -> None:
    with tarfile.open(packed(tmp_path / "one", mode=0o600, changed_at=1)) as archive:
        entries = {entry.name: entry for entry in archive}
    assert set(entries) == {"bundle", "bundle/docs", "bundle/docs/설치.md", "bundle/install.sh", f"bundle/{CHECKSUMS}"}
    assert [oct(entries[f"bundle/{name}"].mode) for name in ("docs", "docs/설치.md", "install.sh")] == [
        "0o755", "0o644", "0o755",
    ]  # fmt: skip
    assert {(entry.uid, entry.gid, entry.mtime) for entry in entries.values()} == {(0, 0, 1_000_000_000)}
    sums = (tmp_path / "one" / "bundle" / CHECKSUMS).read_text("utf-8")
    assert [line.split("  ")[1] for line in sums.splitlines()] == ["docs/설치.md", "install.sh"]
