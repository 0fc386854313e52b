"""Looking at the history of a stopped collector without changing it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from collector.storage.database import storage_errors, used_bytes
from collector.storage.folder import folder_lock
from collector.storage.history_store import since_ms


def depth_of_stopped(path: Path, held: Path) -> tuple[Mapping[str, int], int]:
    """From when on there is something (ms), by table, and how many bytes it takes.

    `held` is the folder that a running collector holds. Raises `DataFolderInUse`, `StorageFailed`.
    """
    read_only = f"{path.absolute().as_uri()}?mode=ro"
    with folder_lock(held), storage_errors(path), closing(sqlite3.connect(read_only, uri=True)) as connection:
        return since_ms(connection), used_bytes(connection)
