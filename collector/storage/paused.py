"""Which devices a person has paused: a small file, for a pause outlives a restart."""

import json
from pathlib import Path

from collector.storage.aside import set_aside
from collector.storage.errors import DamagedFile, StorageFailed
from collector.storage.folder import write_durably

_NOTE = "paused.json"


def read_paused(folder: Path) -> frozenset[str]:
    """The ids that were noted, none where nothing was.

    Raises `DamagedFile` for a note that can not be read, which is then set aside.
    """
    note = folder / _NOTE
    try:
        ids = json.loads(note.read_text("utf-8"))
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise ValueError("it is no list of device ids")
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedFile(f"{note} can not be read ({error}); it is now {set_aside(note)}") from None
    return frozenset(ids)


def note_paused(folder: Path, device_ids: frozenset[str]) -> None:
    """Note these and no others, before it returns and for good. Raises `StorageFailed`."""
    try:
        write_durably(folder / _NOTE, json.dumps(sorted(device_ids), ensure_ascii=False))
    except OSError as error:
        raise StorageFailed(f"{folder / _NOTE} can not be written: {error.strerror or error}") from error
