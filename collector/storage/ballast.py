"""Room kept for the hour when the disk is full: even a deletion needs some."""

import os
from contextlib import suppress
from pathlib import Path

from collector.storage.database import free_bytes

FILE_NAME = "ballast"
_LARGEST_BYTES = 8 << 20


class Ballast:
    """A file that is good for nothing but to be deleted."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._path = folder / FILE_NAME
        self._size = min(_LARGEST_BYTES, limit_bytes // 20)

    @property
    def held(self) -> bool:
        """Whether the room is there."""
        with suppress(OSError):
            return self._path.stat().st_size >= self._size
        return False

    def hold(self) -> bool:
        """Take the room, if the disk has twice as much; False where it has not, or refuses."""
        if self.held:
            return True
        try:
            if free_bytes(self._path.parent) < 2 * self._size:
                return False
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, self._size)
            finally:
                os.close(descriptor)
        except OSError:
            self.let_go()
            return False
        return True

    def let_go(self) -> bool:
        """Give the room back; False when there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
