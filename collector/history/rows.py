"""Rows as they come from the disk, some of which may no longer be what was written."""

import zlib
from collections.abc import Callable
from typing import TypeVar

PartT = TypeVar("PartT")

_DAMAGED = (zlib.error, ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError)


def readable(unpack: Callable[[bytes], list[PartT]], body: bytes) -> list[PartT]:
    """What a row holds; nothing where it is damaged, for the other rows are still good."""
    try:
        return unpack(body)
    except _DAMAGED:
        return []
