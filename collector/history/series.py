"""What is asked of the history, and how it answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from collector.history.calendar import DAY_S, HOUR_S, Calendar
from collector.history.sheets import Trace
from collector.history.summaries import NOTHING, Number, Summary, summarize
from protocols.base import Value

RAW = 0
_MULTIPLES = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60, 120, 180, 240, 300, 360, 600, 720, 900, 1_200, 1_800)
_LONG_S = (*(HOUR_S * hours for hours in (1, 2, 3, 4, 6, 8, 12)), *(DAY_S * days for days in (1, 2, 7, 14, 28)))


@dataclass(frozen=True, slots=True)
class Question:
    """A tag and a span of time, from `start_ms` to before `end_ms`."""

    device_id: str
    tag: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class Series:
    """One tag over time, by rising `start_ms`: a row a window of `resolution_s`, or a value (0 = raw).

    Windows without a single poll have no row. `count` is how many good values there were; `good_share` (0 to 1) the
    part of the window's time they stand for, each for one polling interval. Figures are None where there was no good
    value, and minimum, maximum and mean where the values are no numbers. Of raw values all figures are the value,
    `count` is 1, or 0 where there was none; `good_share` is 1 or 0, and 0 with a value where that is uncertain.
    """

    device_id: str
    tag: str
    resolution_s: int
    start_ms: list[int] = field(default_factory=list)
    minimum: list[Number | None] = field(default_factory=list)
    maximum: list[Number | None] = field(default_factory=list)
    mean: list[Number | None] = field(default_factory=list)
    first: list[Value | None] = field(default_factory=list)
    last: list[Value | None] = field(default_factory=list)
    count: list[int] = field(default_factory=list)
    good_share: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Total:
    """One tag over a span in one line. `good_share` (0 to 1) is of the time since there is a history at all."""

    summary: Summary
    good_share: float


@dataclass(frozen=True, slots=True)
class Depth:
    """How far back the history goes, by stamps in ms (None: nothing kept), and what it takes on the disk.

    `written_per_day_bytes` is reckoned from this run; None until there is enough to tell.
    """

    raw_since_ms: int | None
    windows_since_ms: int | None
    hours_since_ms: int | None
    days_since_ms: int | None
    bytes: int
    limit_bytes: int
    written_per_day_bytes: int | None


def raw_series(asked: Question, traces: Iterable[Trace]) -> Series:
    """The values of the time asked for."""
    series = Series(asked.device_id, asked.tag, RAW)
    rows = sorted(
        (row for trace in traces for row in zip(trace.stamps_ms, trace.values, trace.qualities, strict=True)),
        key=lambda row: row[0],
    )
    for stamp_ms, value, quality in rows:
        if asked.start_ms <= stamp_ms < asked.end_ms:
            number = value if isinstance(value, int | float) else None
            series.start_ms.append(stamp_ms)
            for figures in (series.minimum, series.maximum, series.mean):
                figures.append(number)
            series.first.append(value)
            series.last.append(value)
            series.count.append(int(value is not None))
            series.good_share.append(float(quality is None))
    return series


def raw_total(series: Series) -> Total:
    """What the good ones of raw values come to; their share is that of the polls."""
    if not series.start_ms:
        return Total(NOTHING, 0.0)
    good = [value if share else None for value, share in zip(series.first, series.good_share, strict=True)]
    return Total(summarize(series.start_ms, good, 0), sum(series.good_share) / len(good))


def window_series(
    asked: Question, resolution_s: int, windows: Mapping[int, Summary], calendar: Calendar, now_ms: int
) -> Series:
    """Windows by their starts as a series; of the one that `now_ms` lies in, the time until then counts."""
    series = Series(asked.device_id, asked.tag, resolution_s)
    for start_ms in sorted(windows):
        summary = windows[start_ms]
        begin, end = calendar.window(start_ms, resolution_s)
        lasts_ms = (now_ms if begin < now_ms < end else end) - begin
        series.start_ms.append(start_ms)
        series.minimum.append(summary.minimum)
        series.maximum.append(summary.maximum)
        series.mean.append(summary.mean)
        series.first.append(summary.first)
        series.last.append(summary.last)
        series.count.append(summary.counted)
        series.good_share.append(min(1.0, summary.good_ms / lasts_ms))
    return series


def finest_resolution_s(span_ms: int, window_s: int, max_points: int) -> int:
    """The finest resolution, from windows on, in which a span has at most `max_points` windows."""
    short = (window_s * multiple for multiple in _MULTIPLES if window_s * multiple < HOUR_S)
    # One more, for the span may begin within a window; windows that end at midnight may add a few.
    for resolution_s in sorted({window_s, *short, *(long for long in _LONG_S if long > window_s)}):
        if span_ms / 1000 / resolution_s * 1.05 + 1 <= max_points:
            return resolution_s
    return _LONG_S[-1]


def tier_for(resolution_s: int, start_ms: int, since_ms: Mapping[str, int]) -> str:
    """The coarsest tier that can make windows of this size, unless only a coarser one goes back so far."""
    tiers = ["windows", "hours", "days"]
    if resolution_s % DAY_S == 0:
        tiers = tiers[2:]
    elif resolution_s % HOUR_S == 0:
        tiers = tiers[1:]
    needed = max(start_ms, min((since_ms[tier] for tier in tiers if tier in since_ms), default=start_ms))
    return next((tier for tier in tiers if since_ms.get(tier, needed) <= needed), tiers[-1])
