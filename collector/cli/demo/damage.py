"""Garbage in the buffer's file, as a worn flash card leaves it."""

import secrets
from pathlib import Path

_PAGE = 4096
_SMALL_TABLES = 16 * _PAGE
_LOG_HEAD = 32


def damage(folder: Path) -> int:
    """Overwrite the middle third of a stopped collector's outbox and of its write-ahead log; how many bytes.

    The first pages are spared: without them nobody could say how many messages there were. Raises `OSError`.
    """
    file, log = folder / "outbox.db", folder / "outbox.db-wal"
    return _spoil(file, _SMALL_TABLES) + _spoil(log, _LOG_HEAD)


def _spoil(path: Path, spared: int) -> int:
    size = path.stat().st_size if path.exists() else 0
    first, behind = max(spared, size // 3), size * 2 // 3
    if first >= behind:
        return 0
    with path.open("r+b") as file:
        file.seek(first)
        return file.write(secrets.token_bytes(behind - first))
