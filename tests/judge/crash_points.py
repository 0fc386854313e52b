"""The names of the places where the collector can be made to crash, as it lists them itself."""

from enum import StrEnum
from importlib import import_module
from importlib.util import find_spec


def _points() -> tuple[str, ...]:
    if find_spec("collector.crashpoint") is None:
        return ()
    listed: type[StrEnum] = import_module("collector.crashpoint").CrashPoint
    return tuple(point.value for point in listed)


POINTS = _points()
