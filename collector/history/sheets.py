"""What a few tags of a device gave over a minute, as one row: their stamps, and a column of values for each."""

import zlib
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from collector.history.columns import Column, pack_column, unpack_column
from collector.history.numbers import pack_integers, unpack_integers
from protocols.base import Value
from protocols.quality import Quality

# By their place in here qualities are written; 0 is good. A new one is added at the end.
_QUALITIES = (
    None, Quality.BAD_ADDRESS, Quality.TIMEOUT, Quality.DISCONNECTED, Quality.DEVICE_ERROR, Quality.OUT_OF_RANGE,
    Quality.NOT_A_NUMBER, Quality.NO_VALUE, Quality.BAD_ENCODING, Quality.UNCERTAIN,
)  # fmt: skip
CODES: Mapping[Quality | None, int] = {quality: code for code, quality in enumerate(_QUALITIES)}
"""How qualities are written."""

_HEAD_BYTES = 8
# What is new in the values is about what remains whatever the level; this one takes the least time.
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class Sheet:
    """`columns` has a column a tag with a value or None for each of `stamps_ms`; `flaws` maps the position of a tag
    that was not always good to a code of `CODES` for each stamp."""

    stamps_ms: Sequence[int]
    columns: Sequence[Column]
    flaws: Mapping[int, bytes | bytearray] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trace:
    """The values of one tag, in the order they were recorded."""

    stamps_ms: list[int]
    values: list[Value | None]
    qualities: list[Quality | None]


def pack_sheet(sheet: Sheet) -> bytes:
    """A sheet as compressed bytes."""
    stamps = pack_integers(sheet.stamps_ms)
    if stamps is None:
        raise ValueError("a stamp is beyond 64 bits")
    flaws = [bytes(sheet.flaws.get(position, b"")) for position in range(len(sheet.columns))]
    parts = [stamps, *flaws, *map(pack_column, sheet.columns)]
    head = array("I", (len(sheet.columns), len(sheet.stamps_ms), *map(len, parts)))
    return zlib.compress(head.tobytes() + b"".join(parts), _LEVEL)


def unpack_trace(packed: bytes, position: int) -> Trace:
    """What the tag in this position of the sheet gave. Raises `zlib.error`, `ValueError`, `IndexError` if damaged."""
    body = zlib.decompress(packed)
    tags, count = array("I", body[:_HEAD_BYTES])
    lengths_end = _HEAD_BYTES + 4 * (1 + 2 * tags)
    lengths = array("I", body[_HEAD_BYTES:lengths_end])
    parts = list(pairwise(accumulate(lengths, initial=lengths_end)))
    stamps, flaws, column = (slice(*parts[place]) for place in (0, 1 + position, 1 + tags + position))
    qualities = [_QUALITIES[code] for code in body[flaws]] or [None] * count
    return Trace(unpack_integers(body[stamps]), unpack_column(body[column], count), qualities)
