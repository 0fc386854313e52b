"""The only source of time: the wall clock stamps, the monotonic clock drives everything else."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

_TO_SECONDS = len("2026-04-17T08:00:00")


class Clock(Protocol):
    """What the collector knows of time."""

    def wall_ms(self) -> int:
        """Milliseconds since 1970 UTC, as the machine believes. It may jump either way: only for stamps."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never jumps. For schedules, back-off, deadlines."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def wall_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic(self) -> float:
        return time.monotonic()


def iso_utc(wall_ms: int) -> str:
    """A stamp as it goes on the wire: ``2026-04-17T08:00:00.123Z``."""
    seconds, millis = divmod(wall_ms, 1000)
    return f"{_to_seconds(seconds)}.{millis:03d}Z"


@lru_cache(maxsize=8)
def _to_seconds(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:_TO_SECONDS]
