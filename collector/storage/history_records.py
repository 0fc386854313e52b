"""What goes into the history's file and comes out of it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Batch:
    """What was recorded in one go, between its earliest and its latest stamp.

    `recorded_ms` is for how long there has been recording until its end, over all runs, by a clock that never jumps.
    """

    number: int
    first_ms: int
    last_ms: int
    recorded_ms: int


@dataclass(frozen=True, slots=True)
class Minute:
    """What a batch adds: new tags (id, device, name) and layouts (id, tag ids), and rows (layout, body)."""

    first_ms: int
    last_ms: int
    lasted_ms: int
    tags: Sequence[tuple[int, str, str]]
    layouts: Sequence[tuple[int, Sequence[int]]]
    raw: Sequence[tuple[int, bytes]]
    slips: Sequence[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Block:
    """The figures of one tag in one block of a tier, which begins at `start_s`; they go back to `first_ms`."""

    tier: str
    start_s: int
    first_ms: int
    tag: int
    body: bytes
