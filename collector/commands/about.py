"""What runs here: versions, for who has to find out why it does not run elsewhere."""

import platform
from collections.abc import Mapping
from importlib import metadata

from collector import __version__
from collector.clock import Clock, iso_utc
from collector.storage.database import SQLITE_VERSION

_LIBRARIES = (
    "asyncua", "cryptography", "fastapi", "httpx", "orjson", "paho-mqtt", "psutil", "pydantic", "pyserial",
    "python-snap7", "structlog", "uvicorn", "uvloop",
)  # fmt: skip


def about(edge_id: str, clock: Clock) -> Mapping[str, object]:
    """The edge, the time, and the versions of all that counts."""
    return {
        "edge_id": edge_id,
        "timestamp": iso_utc(clock.wall_ms()),
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "sqlite": SQLITE_VERSION,
        "libraries": {name: found for name in _LIBRARIES if (found := _version(name))},
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
