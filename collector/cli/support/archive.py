"""The bundle as a file: a zip whose texts have been masked."""

import re
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import BinaryIO

from collector.settings.masking import Masking

MOST_CHARACTERS = 4 << 20
_OWNER_ONLY = 0o600 << 16


def write_archive(file: BinaryIO, texts: Mapping[str, str], masked: Masking, wall_ms: int) -> None:
    """Each text under its name, the newest `MOST_CHARACTERS` of it, nothing that `masked` knows. Names are UTF-8."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in texts.items():
            entry = zipfile.ZipInfo(masked(name), _moment(wall_ms).timetuple()[:6])
            entry.external_attr = _OWNER_ONLY
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, masked(text)[-MOST_CHARACTERS:].encode("utf-8", "replace"))


def stamp_of(wall_ms: int) -> str:
    """For the name of a file, in UTC: ``20260417-080000``."""
    return f"{_moment(wall_ms):%Y%m%d-%H%M%S}"


def file_name(name: str) -> str:
    """A device's name as that of a file in the archive, which leads nowhere else."""
    return re.sub(r"[^\w ()-]", "_", name).strip()[:80] or "device"


def _moment(wall_ms: int) -> datetime:
    """No zip is older than 1980, wherever the clock stands."""
    return max(datetime.fromtimestamp(wall_ms / 1000, UTC), datetime(1980, 1, 1, tzinfo=UTC))
