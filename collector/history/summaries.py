"""What the good values of one tag in one window come to, and how such figures are added up and written."""

import json
import zlib
from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, pairwise
from math import fsum, isfinite
from typing import NamedTuple, TypeAlias, cast

import orjson

from collector.history.columns import Column, pack_column, unpack_column
from protocols.base import Value

Number: TypeAlias = int | float

_NUMBERS = frozenset({int, float, bool})
_FIGURES = 10


class Summary(NamedTuple):
    """`counted` good values; `good_ms` is the time they stand for, each for one polling interval.

    `first` and `last` are those of the earliest and the latest stamp. `minimum`, `maximum` and `total` are None where
    the values are no numbers, and all but the first two where there was none. A tuple, because a week of a tag is ten
    thousand of them.
    """

    counted: int = 0
    good_ms: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    minimum: Number | None = None
    maximum: Number | None = None
    total: Number | None = None
    first: Value | None = None
    last: Value | None = None

    @property
    def mean(self) -> float | None:
        """Of the values, each with the same weight."""
        return None if self.total is None else self.total / self.counted


NOTHING = Summary()

Entry: TypeAlias = tuple[int, Summary]
"""The start of a window (ms) and what it came to."""


def summarize(stamps_ms: Sequence[int], column: Column, interval_ms: int) -> Summary:
    """Of the values that are not None, by rising stamps."""
    if None in column:
        there = [(stamp, value) for stamp, value in zip(stamps_ms, column, strict=True) if value is not None]
        if not there:
            return NOTHING
        stamps_ms, column = [stamp for stamp, _ in there], [value for _, value in there]
    count = len(column)
    ends = stamps_ms[0], stamps_ms[-1]
    least = most = total = None
    if _NUMBERS.issuperset(map(type, column)):
        numbers = cast(Sequence[Number], column)
        least, most, total = +min(numbers), +max(numbers), _sum(numbers)
    return Summary(count, count * interval_ms, *ends, least, most, total, column[0], column[-1])


def add(summaries: Sequence[Summary]) -> Summary:
    """All of them together."""
    if len(summaries) == 1:
        return summaries[0]
    good = [summary for summary in summaries if summary.counted]
    if not good:
        return NOTHING
    # All of `good` as columns: the figures of many windows are added up at once.
    counts, good_ms, first_ms, last_ms, minima, maxima, totals, firsts, lasts = zip(*good, strict=True)
    begun, ended = min(first_ms), max(last_ms)
    least = most = total = None
    if None not in totals:
        least, most, total = min(minima), max(maxima), _sum(totals)
    first, last = firsts[first_ms.index(begun)], lasts[last_ms.index(ended)]
    return Summary(sum(counts), sum(good_ms), begun, ended, least, most, total, first, last)


def _sum(numbers: Sequence[Number]) -> Number:
    if float not in set(map(type, numbers)):
        return sum(numbers)
    # Fifteen digits are what a sum is good for; the sixteenth makes a long binary fraction of a short decimal.
    try:
        return float(f"{fsum(numbers):.15g}")
    except OverflowError:
        return float(sum(numbers))


def pack_slips(slips: Sequence[Sequence[Entry]]) -> bytes:
    """The entries of several tags over a minute, quickly written, to be read again within the hour."""
    plain = [[(start, *summary) for start, summary in entries] for entries in slips]
    try:
        if all(isfinite(summary.total or 0) for entries in slips for _, summary in entries):
            return zlib.compress(orjson.dumps(plain), 1)
    except (TypeError, OverflowError):  # an integer beyond 64 bits, or half a character
        pass
    return zlib.compress(json.dumps(plain, separators=(",", ":")).encode(), 1)


def unpack_slips(packed: bytes) -> list[list[Entry]]:
    """What `pack_slips` wrote. Raises `ValueError` or `zlib.error` where it is damaged."""
    plain = json.loads(zlib.decompress(packed))
    return [[(start, Summary(*figures)) for start, *figures in entries] for entries in plain]


def pack_entries(entries: Sequence[Entry]) -> bytes:
    """The entries of one tag over an hour, a day or longer: a column a figure, to be kept."""
    rows = [(start, *summary) for start, summary in entries]
    columns = [pack_column(column) for column in zip(*rows, strict=True)]
    body = array("H", (len(entries), *map(len, columns))).tobytes() + b"".join(columns)
    packed = zlib.compress(body, 1)
    return b"\1" + packed if len(packed) < len(body) else b"\0" + body


def unpack_entries(packed: bytes) -> list[Entry]:
    """What `pack_entries` wrote. Raises `zlib.error`, `ValueError` or `IndexError` where it is damaged."""
    body = zlib.decompress(packed[1:]) if packed[0] else packed[1:]
    count, *lengths = array("H", body[: 2 * (1 + _FIGURES)])
    parts = pairwise(accumulate(lengths, initial=2 * (1 + _FIGURES)))
    starts, *figures = (unpack_column(body[begin:end], count) for begin, end in parts)
    return list(zip(cast(list[int], starts), map(Summary._make, zip(*figures, strict=True)), strict=True))


def add_up(entries: Iterable[Entry]) -> dict[int, Summary]:
    """The entries by their starts, those of equal start added up."""
    windows: dict[int, list[Summary]] = {}
    for start, summary in entries:
        windows.setdefault(start, []).append(summary)
    return {start: add(summaries) for start, summaries in windows.items()}
