"""Checksums of a folder, and the folder as one archive: the same content gives the same bytes."""

import gzip
import tarfile
from pathlib import Path

from bundle.wheels import digest

CHECKSUMS = "SHA256SUMS"


def write_checksums(folder: Path) -> None:
    """Note the hash of every file below `folder`, for `sha256sum -c`."""
    files = sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    lines = [f"{digest(folder / name)}  {name}\n" for name in files if name != CHECKSUMS]
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")


def pack(folder: Path, archive: Path, *, made_at: int) -> None:
    """Write `folder` as a ``.tar.gz``, in place of an older one; `made_at` (seconds since 1970): every file's time."""

    def nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = made_at, 0, 0, "", ""
        entry.mode = 0o755 if entry.isdir() or entry.name.endswith(".sh") else 0o644
        return entry

    draft = archive.with_name(f".{archive.name}.new")
    with (
        draft.open("wb") as file,
        gzip.GzipFile("", "wb", fileobj=file, mtime=made_at) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in (folder, *sorted(folder.rglob("*"))):
            tar.add(path, path.relative_to(folder.parent), recursive=False, filter=nobodys)
    draft.replace(archive)
