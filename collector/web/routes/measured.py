"""What was measured: history, summaries, hours and days."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby, repeat
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from starlette.responses import Response

from collector.clock import iso_utc
from collector.web import answers, asked, reports, times
from collector.web.catalogue import Catalogues, DeviceEntry, TagEntry
from collector.web.rendering import Csv, Json, as_figure, as_json
from collector.web.situation import iso
from collector.web.sources import HistorySource, Series, Sources, Total

AUTO_POINTS = 2_000
MOST_POINTS = 50_000
LONGEST_IN_HOURS_MS = (31 * 24 + 1) * 3_600_000
OFF = "the history is off: HISTORY_MAX_MB=0"
Form = Annotated[Literal["json", "csv"], Query(description="json, or csv for a spreadsheet.")]
_ANSWERS = {**answers.refusals(404, 503), 200: {"content": {"text/csv": {}}}}
_HEAD = ("start", "min", "max", "mean", "first", "last", "count", "good_share")


def measured_routes(sources: Sources, catalogues: Catalogues) -> APIRouter:
    """All of them read the history on disk."""
    router = APIRouter(prefix="/api/v1", tags=["measured"])
    zone = sources.settings.site_tz

    def stretch(start: str, end: str) -> tuple[int, int]:
        start_ms, end_ms = asked.stretch(start, end, sources.clock.wall_ms(), zone)
        if start_ms >= end_ms:
            raise asked.wrong("end_time", "it is not after start_time")
        return start_ms, end_ms

    @router.get("/metrics/history", response_model=answers.History, responses=_ANSWERS)
    async def history(
        device_id: asked.DeviceId,
        tag: asked.TagName,
        start_time: asked.Time = "-1h",
        end_time: asked.Time = "now()",
        resolution: asked.Resolution = "auto",
        max_points: Annotated[int, Query(ge=2, le=AUTO_POINTS)] = AUTO_POINTS,
        format: Form = "json",  # noqa: A002 - the parameter's name on the wire
    ) -> Response:
        """A tag's values over a stretch of time, as windows of a width that fits, or as asked."""
        kept, entry = _kept(sources), asked.tag(await catalogues.now(), device_id, tag)
        start_ms, end_ms = stretch(start_time, end_time)
        width_s = times.resolution_s(resolution)
        finest_ms = entry.interval_ms if width_s == 0 else 1000 * (width_s or 1)
        if (end_ms - start_ms) / finest_ms > MOST_POINTS and width_s is not None:
            raise asked.wrong("resolution", f"more than {MOST_POINTS} points; expected a greater width, or auto")
        most = max_points if width_s is None else MOST_POINTS
        found = await kept.series(device_id, tag, start_ms, end_ms, max_points=most, resolution_s=width_s)
        if format == "csv":
            return Csv(_HEAD, _rows(found), "history.csv")
        points = _points(found)
        span = iso_utc(start_ms), iso_utc(end_ms)
        return Json(answers.History(device_id, tag, entry.unit, *span, found.resolution_s, points))

    @router.get("/metrics/summary", response_model=list[answers.Summary], responses=_ANSWERS)
    async def summary(
        at: asked.At,
        device_id: asked.DeviceId | None = None,
        tag: asked.TagName | None = None,
        start_time: asked.Time = "-1h",
        end_time: asked.Time = "now()",
        format: Form = "json",  # noqa: A002
    ) -> Response:
        """One line a tag, of a device or a place, over a stretch of time."""
        kept = _kept(sources)
        found = asked.few(asked.tags(await catalogues.now(), at, device_id, tag))
        start_ms, end_ms = stretch(start_time, end_time)
        rows: list[answers.Summary] = []
        for device, entries in _by_device(found):
            totals = await kept.totals(device.id, [entry.name for entry in entries], start_ms, end_ms)
            rows += (_summary(device, entry, total) for entry, total in zip(entries, totals, strict=True))
        if format == "csv":
            names = answers.Summary.__slots__
            return Csv(names, ([getattr(row, name) for name in names] for row in rows), "summary.csv")
        return Json(rows)

    @router.get("/aggregation", include_in_schema=False)
    @router.get("/aggregation/", response_model=list[answers.Aggregate], responses=_ANSWERS)
    async def aggregation(
        start_date: asked.Day,
        end_date: asked.Day,
        at: asked.At,
        interval: Literal["hour", "day"] = "day",
        device_id: asked.DeviceId | None = None,
        tag: asked.TagName | None = None,
        format: Form = "json",  # noqa: A002
    ) -> Response:
        """The hours or days of the site from the first to the last day, both included, of a tag or of a place."""
        kept = _kept(sources)
        first, last = times.day_of(start_date), times.day_of(end_date)
        if last < first:
            raise asked.wrong("end_date", "it is before start_date")
        start_ms, end_ms = times.days_stretch_ms(first, last, zone)
        if interval == "hour" and end_ms - start_ms > LONGEST_IN_HOURS_MS:
            raise asked.wrong("interval", "more than 31 days of hours; expected day, or fewer days")
        if (last - first).days > 3 * 366:
            raise asked.wrong("end_date", "more than three years")
        found = asked.few(asked.tags(await catalogues.now(), at, device_id, tag))
        columns: list[tuple[DeviceEntry, TagEntry, Series]] = []
        for device, entries in _by_device(found):
            names = [entry.name for entry in entries]
            series = await kept.aggregates(device.id, names, start_ms, end_ms, per=interval)
            columns += zip(repeat(device), entries, series, strict=False)
        # In a thread, because hours of a month of a place are a hundred thousand windows.
        return await asyncio.to_thread(_aggregates, columns, format)

    @router.get("/history", response_model=reports.HistoryDepth, responses=answers.refusals(404, 503))
    async def depth() -> Response:
        """How far back the history goes, and what it takes."""
        found = await _kept(sources).depth()
        return Json(
            reports.HistoryDepth(
                iso(found.raw_since_ms),
                iso(found.windows_since_ms),
                iso(found.hours_since_ms),
                iso(found.days_since_ms),
                found.bytes,
                found.limit_bytes,
                found.written_per_day_bytes,
            )
        )

    return router


_AGGREGATE_HEAD = ("device_id", "device_name", "tag", "unit", "start", "count", "min", "max", "mean", "good_share")


def _kept(sources: Sources) -> HistorySource:
    if sources.history is None:
        raise HTTPException(404, OFF)
    return sources.history


def _points(series: Series) -> answers.Points:
    return answers.Points(
        list(series.start_ms),
        list(map(as_figure, series.minimum)),
        list(map(as_figure, series.maximum)),
        list(map(as_figure, series.mean)),
        [as_json(value) for value in series.first],
        [as_json(value) for value in series.last],
        list(series.count),
        list(series.good_share),
    )


def _rows(series: Series) -> Iterator[tuple[object, ...]]:
    for start_ms, *figures in zip(
        series.start_ms,
        series.minimum,
        series.maximum,
        series.mean,
        series.first,
        series.last,
        series.count,
        series.good_share,
        strict=True,
    ):
        yield iso_utc(start_ms), *figures


def _by_device(found: Iterable[tuple[DeviceEntry, TagEntry]]) -> Iterator[tuple[DeviceEntry, list[TagEntry]]]:
    for _, pairs in groupby(found, key=lambda pair: pair[0].id):
        devices, tags = zip(*pairs, strict=True)
        yield devices[0], list(tags)


def _summary(device: DeviceEntry, tag: TagEntry, total: Total) -> answers.Summary:
    figures = total.summary
    return answers.Summary(
        device.id,
        device.name,
        tag.name,
        tag.unit,
        figures.counted,
        as_figure(figures.minimum),
        as_figure(figures.maximum),
        as_figure(figures.mean),
        as_json(figures.first),
        as_json(figures.last),
        total.good_share,
    )


def _aggregates(found: Sequence[tuple[DeviceEntry, TagEntry, Series]], form: str) -> Response:
    stamp = cache(iso_utc)  # the tags share their windows
    rows = [_aggregate(device, tag, series, stamp) for device, tag, series in found]
    return Csv(_AGGREGATE_HEAD, _flat(rows), "aggregation.csv") if form == "csv" else Json(rows)


def _aggregate(device: DeviceEntry, tag: TagEntry, series: Series, stamp: Callable[[int], str]) -> answers.Aggregate:
    windows = map(
        answers.Window,
        map(stamp, series.start_ms),
        series.count,
        map(as_figure, series.minimum),
        map(as_figure, series.maximum),
        map(as_figure, series.mean),
        series.good_share,
    )
    return answers.Aggregate(device.id, device.name, tag.name, tag.unit, list(windows))


def _flat(rows: Iterable[answers.Aggregate]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        for window in row.windows:
            figures = window.start, window.count, window.min, window.max, window.mean, window.good_share
            yield row.device_id, row.device_name, row.tag, row.unit, *figures
