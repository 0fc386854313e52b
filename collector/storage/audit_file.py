"""The audit log: one JSON object a line, only ever appended to, each fsynced before it counts."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from collector.storage.errors import StorageFailed
from collector.storage.folder import sync_folder

FILE_NAME = "audit.jsonl"
FILE_BYTES = 8 << 20
FILES = 10


class AuditFile:
    """`audit.jsonl` in a folder; at 8 MiB it becomes `audit.jsonl.1`, and the ninth of these goes."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME

    def append(self, entry: Mapping[str, object]) -> None:
        """Keep an entry for good. Raises `StorageFailed`; then a part of it may stand at the file's end."""
        line = json.dumps(entry, ensure_ascii=False, default=str).encode() + b"\n"
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = self._open(len(line))
            try:
                _write_line(descriptor, line)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise StorageFailed(f"{self._path} can not be written: {error.strerror or error}") from error

    def _open(self, room: int) -> int:
        created = not self._path.exists()
        if not created and self._path.stat().st_size + room > FILE_BYTES:
            self._rotate()
            created = True
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if created:
            sync_folder(self._path.parent)
        return descriptor

    def _rotate(self) -> None:
        for number in range(FILES - 1, 0, -1):
            older = self._numbered(number - 1)
            if older.exists():
                older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{FILE_NAME}.{number}") if number else self._path


def _write_line(descriptor: int, line: bytes) -> None:
    end = os.fstat(descriptor).st_size
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        line = b"\n" + line  # what a full disk or a power cut left unfinished must not swallow this one
    written = os.write(descriptor, line)
    if written != len(line):
        raise OSError(28, "only a part of the line could be written")
    os.fsync(descriptor)


def read_audit(folder: Path) -> Iterator[Mapping[str, object]]:
    """All entries that are kept, oldest first. A line that is no entry is passed over. Raises `OSError`."""
    for number in range(FILES - 1, -1, -1):
        path = folder / (f"{FILE_NAME}.{number}" if number else FILE_NAME)
        if not path.exists():
            continue
        with path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                try:
                    entry = json.loads(line)
                except ValueError:
                    continue
                if isinstance(entry, dict):
                    yield entry
