"""What the good values of one tag in one window come to, and how such figures are added up and written."""

import json
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import fsum, isfinite
from operator import attrgetter
from typing import TypeAlias, cast

import orjson

from collector.history.columns import Column, pack_column, unpack_column
from protocols.base import Value

Number: TypeAlias = int | float

_NUMBERS = frozenset({int, float, bool})
_FIGURES = 10
_FIRST_MS, _LAST_MS = attrgetter("first_ms"), attrgetter("last_ms")


@dataclass(frozen=True, slots=True)
class Summary:
    """`count` good values; `good_ms` is the time they stand for, each for one polling interval.

    `first` and `last` are those of the earliest and the latest stamp. `minimum`, `maximum` and `total` are None where
    the values are no numbers, and all but the first two where there was none.
    """

    count: int = 0
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
        return None if self.total is None else self.total / self.count


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
    good = [summary for summary in summaries if summary.count]
    if not good:
        return NOTHING
    early, late = min(good, key=_FIRST_MS), max(good, key=_LAST_MS)
    least = most = total = None
    totals = [summary.total for summary in good if summary.total is not None]
    if len(totals) == len(good):
        least = min(cast(Number, summary.minimum) for summary in good)
        most = max(cast(Number, summary.maximum) for summary in good)
        total = _sum(totals)
    count, good_ms = sum(summary.count for summary in good), sum(summary.good_ms for summary in good)
    return Summary(count, good_ms, early.first_ms, late.last_ms, least, most, total, early.first, late.last)


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
    plain = [[(start, *_figures(summary)) for start, summary in entries] for entries in slips]
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
    rows = [(start, *_figures(summary)) for start, summary in entries]
    columns = [pack_column(column) for column in zip(*rows, strict=True)]
    body = array("H", (len(entries), *map(len, columns))).tobytes() + b"".join(columns)
    packed = zlib.compress(body, 1)
    return b"\1" + packed if len(packed) < len(body) else b"\0" + body


def unpack_entries(packed: bytes) -> list[Entry]:
    """What `pack_entries` wrote. Raises `zlib.error`, `ValueError` or `IndexError` where it is damaged."""
    body = zlib.decompress(packed[1:]) if packed[0] else packed[1:]
    count, *lengths = array("H", body[: 2 * (1 + _FIGURES)])
    parts = pairwise(accumulate(lengths, initial=2 * (1 + _FIGURES)))
    columns = [unpack_column(body[begin:end], count) for begin, end in parts]
    return [(cast(int, start), Summary(*figures)) for start, *figures in zip(*columns, strict=True)]


def _figures(summary: Summary) -> tuple[Value | None, ...]:
    return (
        summary.count, summary.good_ms, summary.first_ms, summary.last_ms, summary.minimum, summary.maximum,
        summary.total, summary.first, summary.last,
    )  # fmt: skip


def add_up(entries: Iterable[Entry]) -> dict[int, Summary]:
    """The entries by their starts, those of equal start added up."""
    windows: dict[int, list[Summary]] = {}
    for start, summary in entries:
        windows.setdefault(start, []).append(summary)
    return {start: add(summaries) for start, summaries in windows.items()}
