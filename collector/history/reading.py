"""Answers what is asked of the history, in the storage thread."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import TypeAlias

from collector.history.calendar import DAY_S, HOUR_S, Calendar
from collector.history.directory import Directory
from collector.history.gathering import entries_of, panels
from collector.history.rows import readable
from collector.history.series import Depth, Question, Series, Total, tier_for, window_series
from collector.history.sheets import Trace, unpack_trace
from collector.history.summaries import Entry, add, add_up, unpack_entries, unpack_slips
from collector.polling.scan import Scan
from collector.storage.history_store import HistoryStore

Span: TypeAlias = tuple[int, int]
"""From when to before when (ms)."""

_BLOCK_S = {"windows": HOUR_S, "hours": DAY_S, "days": DAY_S}
_ENTRY_S = {"windows": None, "hours": HOUR_S, "days": DAY_S}
_TRIED = 5
_TELLING_S = 600


class Reader:
    """Reads one file, and the scans of the same tags that are not in it yet. All methods block."""

    def __init__(self, store: HistoryStore, directory: Directory, calendar: Calendar) -> None:
        self._store = store
        self._directory = directory
        self._calendar = calendar

    def batches(self, asked: Question) -> list[int]:
        """The batches that may have raw values of this time."""
        return self._store.batches(asked.start_ms, asked.end_ms)

    def traces(self, asked: Question, batches: Sequence[int]) -> list[Trace]:
        """The raw values of a tag in some batches, in the order of recording."""
        places = self._places(asked.device_id, asked.tag)
        rows = self._store.raw(batches, list(places))
        return [trace for layout, body in rows for trace in readable(partial(_traces, place=places[layout]), body)]

    def raw_fits(
        self, asked: Question, batches: Sequence[int], max_points: int, window_s: int, tail: Sequence[Scan]
    ) -> bool:
        """Whether raw values go back that far and are not too many, judged by the newest."""
        since_ms = self._store.since_ms()
        since = since_ms.pop("raw", None) or min((scan.stamp_ms for scan in tail), default=None)
        if since is None:
            return False
        needed = max(asked.start_ms, min(since_ms.values(), default=since))
        if self._calendar.cell(since, window_s)[0] > needed:
            return False
        if not 0 < len(batches) <= max_points:
            return not batches
        newest = self.traces(asked, batches[-_TRIED:])
        points = max((len(trace.stamps_ms) for trace in newest), default=0)
        return points * len(batches) <= max_points * 2

    def kept_ms(self, asked: Question, tail: Sequence[Scan]) -> int:
        """How much of the span there can be anything of."""
        known = *self._store.since_ms().values(), *(scan.stamp_ms for scan in tail)
        return asked.end_ms - max(asked.start_ms, min(known, default=asked.start_ms))

    def depth(self, limit_bytes: int, ran_s: float) -> Depth:
        """How far back the file goes, and what it takes."""
        since_ms = self._store.since_ms()
        per_day = round(self._store.written_bytes * DAY_S / ran_s) if ran_s >= _TELLING_S else None
        return Depth(
            since_ms.get("raw"),
            since_ms.get("windows"),
            since_ms.get("hours"),
            since_ms.get("days"),
            self._store.used_bytes(),
            limit_bytes,
            per_day,
        )

    def windows(
        self, asked: Sequence[Question], resolution_s: int, window_s: int, tail: Sequence[Scan], now_ms: int
    ) -> list[Series]:
        """The windows of at least this size that begin within the span, each whole; of tags of one device."""
        start_ms, end_ms = asked[0].start_ms, asked[0].end_ms
        tier = tier_for(resolution_s, start_ms, self._store.since_ms())
        resolution_s = max(resolution_s, _ENTRY_S[tier] or window_s)
        span = start_ms, self._calendar.window(end_ms - 1, resolution_s)[1]
        fresh = self._fresh(asked, tail, window_s, span)
        found = []
        for question in asked:
            entries = [*self._sealed(question, tier, span), *fresh[question.tag]]
            windows = add_up(self._placed(entries, resolution_s))
            begun = {start: summary for start, summary in windows.items() if start_ms <= start < end_ms}
            found.append(window_series(question, resolution_s, begun, self._calendar, now_ms))
        return found

    def totals(self, asked: Sequence[Question], window_s: int, tail: Sequence[Scan], now_ms: int) -> list[Total]:
        """All windows that begin within the span in one; of tags of one device."""
        span = asked[0].start_ms, asked[0].end_ms
        since_ms = self._store.since_ms()
        parts = list(self._parts(span, since_ms))
        fresh = self._fresh(asked, tail, window_s, span)
        known = *since_ms.values(), *(scan.stamp_ms for scan in tail)
        lasted_ms = min(span[1], now_ms) - max(span[0], min(known, default=span[0]))
        found = []
        for question in asked:
            sealed = [entry for tier, part in parts for entry in self._sealed(question, tier, part)]
            summary = add([summary for _, summary in [*sealed, *fresh[question.tag]]])
            found.append(Total(summary, min(1.0, summary.good_ms / lasted_ms) if lasted_ms > 0 else 0.0))
        return found

    def _parts(self, span: Span, since_ms: Mapping[str, int]) -> Iterator[tuple[str, Span]]:
        """The span as few blocks: whole days, the hours before and after them, and windows at both ends.

        Where nothing finer goes back so far, the last day or hour that begins within the span is taken whole.
        """
        left = [span]
        for tier, finer, size_s in (("days", "hours", DAY_S), ("hours", "windows", HOUR_S)):
            pieces, left = left, []
            for start_ms, end_ms in pieces:
                first, last = self._next(start_ms, size_s), self._calendar.window(end_ms, size_s)[0]
                if since_ms.get(tier, end_ms) < end_ms <= since_ms.get(finer, end_ms):
                    last = self._next(end_ms, size_s)
                if first < last:
                    yield tier, (first, last)
                    left += [(start_ms, first), (last, end_ms)]
                else:
                    left.append((start_ms, end_ms))
        yield from (("windows", piece) for piece in left if piece[0] < piece[1])

    def _next(self, stamp_ms: int, size_s: int) -> int:
        """Where the first window begins that does not begin before the stamp."""
        begin, end = self._calendar.window(stamp_ms, size_s)
        return begin if begin == stamp_ms else end

    def _sealed(self, asked: Question, tier: str, span: Span) -> list[Entry]:
        """What the blocks of a tier say of this time."""
        tag = self._directory.tag(asked.device_id, asked.tag)
        if tag is None:
            return []
        start_ms, end_ms = span
        first_s = self._calendar.window(start_ms, _BLOCK_S[tier])[0] // 1000
        blocks = self._store.blocks(tier, tag, first_s, -(-end_ms // 1000))
        found = [entry for block in blocks for entry in readable(unpack_entries, block.body)]
        return [entry for entry in found if start_ms <= entry[0] < end_ms]

    def _fresh(
        self, asked: Sequence[Question], tail: Sequence[Scan], window_s: int, span: Span
    ) -> dict[str, list[Entry]]:
        """What is not sealed yet, by tag: the slips of the hour that runs, and scans that are not written."""
        device_id = asked[0].device_id
        fresh: dict[str, list[Entry]] = {question.tag: [] for question in asked}
        own = _narrowed(device_id, list(fresh), tail)
        for panel in panels(own) if own else ():
            for name, entries in zip(panel.names, entries_of(panel, self._calendar, window_s), strict=True):
                fresh[name] += entries
        unsealed = [batch.number for batch in self._store.open_batches()]
        places = {name: self._places(device_id, name) for name in fresh}
        for layout, body in self._store.slips(unsealed, sorted({layout for at in places.values() for layout in at})):
            slips = readable(unpack_slips, body)
            for name, at in places.items() if slips else ():
                if layout in at:
                    fresh[name] += slips[at[layout]]
        start_ms, end_ms = span
        return {name: [entry for entry in own if start_ms <= entry[0] < end_ms] for name, own in fresh.items()}

    def _placed(self, entries: Iterable[Entry], resolution_s: int) -> Iterator[Entry]:
        """The entries with the starts of the windows of this size that they lie in."""
        begin = end = 0
        for start, summary in entries:
            if not begin <= start < end:
                begin, end = self._calendar.window(start, resolution_s)
            yield begin, summary

    def _places(self, device_id: str, name: str) -> dict[int, int]:
        """The tag's position in each layout that it is in."""
        tag = self._directory.tag(device_id, name)
        return {} if tag is None else dict(self._directory.places(tag))


def _traces(packed: bytes, place: int) -> list[Trace]:
    return [unpack_trace(packed, place)]


def _narrowed(device_id: str, tags: Sequence[str], tail: Sequence[Scan]) -> list[Scan]:
    """The scans of the tail that hold some of the device's tags, with nothing else in them."""
    own: list[Scan] = []
    names: tuple[str, ...] = ()
    picks: list[int] = []
    for scan in tail:
        if scan.device.id != device_id:
            continue
        if scan.names is not names:
            names = scan.names
            positions = {name: place for place, name in enumerate(names)}
            picks = [positions[tag] for tag in tags if tag in positions]
            picked = tuple(names[place] for place in picks)
        if picks:
            bad = {new: scan.bad[place] for new, place in enumerate(picks) if place in scan.bad} if scan.bad else {}
            own.append(Scan(scan.device, scan.stamp_ms, picked, [scan.values[place] for place in picks], bad))
    return own


def tail_trace(asked: Question, tail: Sequence[Scan]) -> Trace:
    """The raw values of the tag in scans that are not written yet."""
    own = _narrowed(asked.device_id, [asked.tag], tail)
    return Trace([scan.stamp_ms for scan in own], [scan.values[0] for scan in own], [scan.bad.get(0) for scan in own])
