"""From the scans of a minute to sheets: rows become columns, tags that were read together stay together. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from collector.config.plan import DevicePlan
from collector.history.calendar import Calendar
from collector.history.columns import Column
from collector.history.sheets import CODES, Sheet
from collector.history.summaries import Entry, summarize
from collector.polling.scan import Scan
from protocols.base import Value

TAGS_A_SHEET = 32
"""So many share their stamps and are compressed as one: more is smaller, fewer is quicker to read one tag of."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A few tags of one device, what they gave, and for how long each of their values stands."""

    device_id: str
    names: tuple[str, ...]
    intervals_ms: tuple[int, ...]
    sheet: Sheet


def panels(scans: Sequence[Scan]) -> Iterator[Panel]:
    """The scans of one device as panels, by rising stamps. Each tag is in one of them."""
    kinds: list[tuple[str, ...]] = []
    kind_of = [_kind(scan.names, kinds) for scan in scans]
    intervals = poll_intervals_ms(scans[-1].device)
    for taken, names in _shared(kinds).items():
        picks = [_Pick(kind, names) for kind in kinds]
        rows = [(scan, picks[kind]) for scan, kind in zip(scans, kind_of, strict=True) if taken >> kind & 1]
        rows.sort(key=lambda row: row[0].stamp_ms)
        columns = list(zip(*(pick.values(scan) for scan, pick in rows), strict=True))
        flaws = _flaws(rows)
        stamps = [scan.stamp_ms for scan, _ in rows]
        for first in range(0, len(names), TAGS_A_SHEET):
            part = slice(first, first + TAGS_A_SHEET)
            flawed = {place - first: codes for place, codes in flaws.items() if 0 <= place - first < TAGS_A_SHEET}
            yield Panel(
                scans[0].device.id,
                names[part],
                tuple(intervals.get(name, 0) for name in names[part]),
                Sheet(stamps, columns[part], flawed),
            )


def entries_of(panel: Panel, calendar: Calendar, window_s: int) -> list[list[Entry]]:
    """What each tag of the panel comes to in each window that its stamps lie in."""
    sheet = panel.sheet
    cells = _cells(sheet.stamps_ms, calendar, window_s)
    columns = (_good(column, sheet.flaws.get(place)) for place, column in enumerate(sheet.columns))
    return [
        [(start, summarize(sheet.stamps_ms[begin:end], column[begin:end], interval_ms)) for start, begin, end in cells]
        for column, interval_ms in zip(columns, panel.intervals_ms, strict=True)
    ]


def poll_intervals_ms(device: DevicePlan) -> dict[str, int]:
    """How often each tag of the device is read; a computed one as often as the slowest of its inputs."""
    by_tag = {tag: group.interval_ms for group in device.groups for tag in group.tags}
    for computed in device.computed:
        by_tag[computed.tag] = max((by_tag.get(tag, 0) for tag in computed.inputs), default=0)
    return {device.names[tag]: interval_ms for tag, interval_ms in by_tag.items()}


def _kind(names: tuple[str, ...], kinds: list[tuple[str, ...]]) -> int:
    for place, known in enumerate(kinds):
        if names is known or names == known:
            return place
    kinds.append(names)
    return len(kinds) - 1


def _shared(kinds: Sequence[tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    """The tags by the kinds of scans they are in, as bits: those with equal bits have all their stamps in common."""
    if len(kinds) == 1:
        return {1: kinds[0]}
    bits: dict[str, int] = {}
    for kind, names in enumerate(kinds):
        for name in names:
            bits[name] = bits.get(name, 0) | 1 << kind
    shared: dict[int, list[str]] = {}
    for name, taken in bits.items():
        shared.setdefault(taken, []).append(name)
    return {taken: tuple(names) for taken, names in shared.items()}


class _Pick:
    """Takes some tags out of scans that hold them all."""

    def __init__(self, kind: tuple[str, ...], names: tuple[str, ...]) -> None:
        places = {name: place for place, name in enumerate(kind)}
        sources = [places[name] for name in names if name in places]
        self._whole = sources == list(range(len(kind)))
        self._sources = sources
        self.place = {source: place for place, source in enumerate(sources)}

    def values(self, scan: Scan) -> Sequence[Value | None]:
        return scan.values if self._whole else [scan.values[source] for source in self._sources]


def _flaws(rows: Sequence[tuple[Scan, _Pick]]) -> dict[int, bytearray]:
    flaws: dict[int, bytearray] = {}
    for row, (scan, pick) in enumerate(rows):
        for source, quality in scan.bad.items():
            if (place := pick.place.get(source)) is not None:
                flaws.setdefault(place, bytearray(len(rows)))[row] = CODES[quality]
    return flaws


def _good(column: Column, flaws: bytes | bytearray | None) -> Column:
    """The column without the values that are there, but uncertain."""
    if flaws is None:
        return column
    return [None if flaw else value for value, flaw in zip(column, flaws, strict=True)]


def _cells(stamps_ms: Sequence[int], calendar: Calendar, window_s: int) -> list[tuple[int, int, int]]:
    """Runs of stamps that share a window: its start, and from where to where they are."""
    cells: list[tuple[int, int, int]] = []
    start = end = first = 0
    for place, stamp_ms in enumerate(stamps_ms):
        if start <= stamp_ms < end:
            continue
        if place:
            cells.append((start, first, place))
        start, end = calendar.cell(stamp_ms, window_s)
        first = place
    return [*cells, (start, first, len(stamps_ms))]
