"""Answers what is asked of the history, in the storage thread."""

from collections.abc import Sequence
from functools import partial

from collector.history.calendar import DAY_S, HOUR_S, Calendar
from collector.history.directory import Directory
from collector.history.gathering import entries_of, panels
from collector.history.rows import readable
from collector.history.series import Depth, Question, Series, tier_for, window_series
from collector.history.sheets import Trace, unpack_trace
from collector.history.summaries import Entry, add_up, unpack_entries, unpack_slips
from collector.polling.scan import Scan
from collector.storage.history_store import HistoryStore

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
        places = self._places(asked)
        rows = self._store.raw(batches, list(places))
        return [trace for layout, body in rows for trace in readable(partial(_traces, place=places[layout]), body)]

    def raw_fits(self, asked: Question, batches: Sequence[int], max_points: int, window_s: int) -> bool:
        """Whether raw values go back that far and are not too many, judged by the newest."""
        since_ms = self._store.since_ms()
        since = since_ms.pop("raw", None)
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

    def windows(self, asked: Question, resolution_s: int, window_s: int, tail: Sequence[Scan], now_ms: int) -> Series:
        """The windows of at least this size that begin within the span, each whole."""
        tier = tier_for(resolution_s, asked.start_ms, self._store.since_ms())
        resolution_s = max(resolution_s, _ENTRY_S[tier] or window_s)
        until_ms = self._calendar.window(asked.end_ms - 1, resolution_s)[1]
        entries = [*self._entries(asked, tier, until_ms), *self._tail_entries(asked, tail, window_s)]
        windows = add_up((self._calendar.window(start, resolution_s)[0], summary) for start, summary in entries)
        begun = {start: summary for start, summary in windows.items() if asked.start_ms <= start < asked.end_ms}
        return window_series(asked, resolution_s, begun, self._calendar, now_ms)

    def _entries(self, asked: Question, tier: str, until_ms: int) -> list[Entry]:
        """What a tier, and what is not sealed, says of this time."""
        tag, places = self._directory.tag(asked.device_id, asked.tag), self._places(asked)
        if tag is None:
            return []
        first_s = self._calendar.window(asked.start_ms, _BLOCK_S[tier])[0] // 1000
        blocks = self._store.blocks(tier, tag, first_s, -(-until_ms // 1000))
        found = [entry for block in blocks for entry in readable(unpack_entries, block.body)]
        unsealed = [batch.number for batch in self._store.open_batches()]
        for layout, body in self._store.slips(unsealed, list(places)):
            slips = readable(unpack_slips, body)
            found += slips[places[layout]] if slips else []
        return [entry for entry in found if asked.start_ms <= entry[0] < until_ms]

    def _tail_entries(self, asked: Question, tail: Sequence[Scan], window_s: int) -> list[Entry]:
        own = _narrowed(asked, tail)
        parts = [entries_of(panel, self._calendar, window_s) for panel in panels(own)] if own else []
        return [entry for part in parts for entries in part for entry in entries]

    def _places(self, asked: Question) -> dict[int, int]:
        """The tag's position in each layout that it is in."""
        tag = self._directory.tag(asked.device_id, asked.tag)
        return {} if tag is None else dict(self._directory.places(tag))


def _traces(packed: bytes, place: int) -> list[Trace]:
    return [unpack_trace(packed, place)]


def _narrowed(asked: Question, tail: Sequence[Scan]) -> list[Scan]:
    """The scans of the tail that hold the tag, with nothing else in them."""
    own: list[Scan] = []
    names: tuple[str, ...] = ()
    place: int | None = None
    for scan in tail:
        if scan.device.id != asked.device_id:
            continue
        if scan.names is not names:
            names = scan.names
            place = names.index(asked.tag) if asked.tag in names else None
        if place is not None:
            bad = {0: scan.bad[place]} if place in scan.bad else {}
            own.append(Scan(scan.device, scan.stamp_ms, (asked.tag,), [scan.values[place]], bad))
    return own


def tail_trace(asked: Question, tail: Sequence[Scan]) -> Trace:
    """The raw values of the tag in scans that are not written yet."""
    own = _narrowed(asked, tail)
    return Trace([scan.stamp_ms for scan in own], [scan.values[0] for scan in own], [scan.bad.get(0) for scan in own])
