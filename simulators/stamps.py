"""Times as they stand on the wire: ``2026-04-17T08:00:00.123Z``."""

import time
from datetime import UTC, datetime


def now_ms() -> int:
    """The machine's wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def stamp(wall_ms: int | None = None) -> str:
    """That moment, or now."""
    seconds, millis = divmod(now_ms() if wall_ms is None else wall_ms, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{millis:03d}Z"


def wall_ms_of(text: object) -> int:
    """Back to milliseconds. Raises `ValueError` for what is no time, or has no zone."""
    if not isinstance(text, str):
        raise ValueError(f"expected a time like 2026-04-17T08:00:00.123Z, found {text!r}")
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"time {text!r} has no zone; expected UTC with Z")
    return round(when.timestamp() * 1000)
