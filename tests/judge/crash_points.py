"""The names of the places where the collector can be made to crash, as it lists them itself.

Without those that a scribe never passes: they need a damaged file, or have nothing to do with the outbox.
"""

from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec

_ELSEWHERE = frozenset({"in-salvage", "in-config-write"})


def _points() -> tuple[str, ...]:
    if find_spec("collector.crashpoint") is None:
        return ()
    listed: type[StrEnum] = import_module("collector.crashpoint").CrashPoint
    return tuple(point.value for point in listed if point not in _ELSEWHERE)


POINTS = _points()
