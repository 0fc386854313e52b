"""The data folder: one process at a time, and file operations that survive a power cut."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from collector.storage.errors import DataFolderInUse


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold the folder for this process, making it if need be. Raises `DataFolderInUse`.

    A folder that can not be made or locked (read-only, a file system without locks) is no reason not to start.
    """
    descriptor = None
    with suppress(OSError):
        make_folder(folder)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if descriptor is not None:
            _lock(descriptor, folder)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as held:
        raise DataFolderInUse(
            f"data folder {folder} is in use by another process: stop that collector, "
            "or give this one a DATA_DIR of its own"
        ) from held
    except OSError:
        return


def outbox_folder(data_dir: Path, sink: str = "") -> Path:
    """Where the outbox of a further sink is, or the broker's."""
    return data_dir / (f"outbox-{sink}" if sink else "outbox")


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, so that they are still there after a power cut. Raises `OSError`."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(mode=0o700, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that files created or renamed in the folder are still there after a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_durably(path: Path, content: str) -> None:
    """Replace a small file, whole or not at all."""
    draft = path.with_name(path.name + ".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    sync_folder(path.parent)
