"""The latest wall time that was seen, for a gateway that wakes up in the past."""

from contextlib import suppress
from pathlib import Path

from collector.storage.folder import write_durably

_NOTE = "clock_seen"


def read_clock_seen(data_dir: Path) -> int:
    """Milliseconds since 1970 UTC; 0 where nothing is noted or the note can not be read."""
    with suppress(OSError, ValueError):
        return max(0, int((data_dir / _NOTE).read_text(encoding="ascii")[:20]))
    return 0


def note_clock_seen(data_dir: Path, wall_ms: int) -> None:
    """Note a time; where the disk refuses, the note before stays."""
    with suppress(OSError):
        write_durably(data_dir / _NOTE, f"{wall_ms}\n")
