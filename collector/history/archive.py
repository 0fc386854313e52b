"""The history as the storage thread sees it: minutes come in, hours are sealed, what is too old or too much goes.

Each minute leaves raw sheets and slips: what its values come to, window by window. When the hour is over its slips are
added to the blocks of three tiers: windows (a block an hour), hours (a block a day) and days. What is read is blocks
and slips added up, so it makes no difference when a slip is sealed, or whether the clock was set in between.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from collector.history.calendar import DAY_S, HOUR_S, Calendar
from collector.history.directory import Directory
from collector.history.gathering import entries_of, panels
from collector.history.rows import readable
from collector.history.sheets import pack_sheet
from collector.history.summaries import Entry, Summary, add_up, pack_entries, pack_slips, unpack_entries, unpack_slips
from collector.polling.scan import Scan
from collector.storage.errors import DiskFull, ReadOnly
from collector.storage.history_records import Batch, Block, Minute
from collector.storage.history_store import HistoryStore

HOURS_KEPT_DAYS, DAYS_KEPT_DAYS = 30, 366
UNSEALED_MOST = 180
STEP_S = 0.02
"""A step of forgetting is made as large as fits into this."""
_ROWS_MOST = 4_096
_ROWS_OVER = 16
_FULL = 31 / 32
_ALL = range(1 << 62)
_ROWS_FOR_ROOM = 1_024
# How long a block of each tier is, and what its entries are of (s); the finest keeps them as they come.
_TIERS = {"windows": (HOUR_S, None), "hours": (DAY_S, HOUR_S), "days": (DAY_S, DAY_S)}


@dataclass(frozen=True, slots=True)
class Keeping:
    """What is kept: windows of `window_s` for `retention_days`, raw values as long or for `raw_hours`, if that is
    longer, or not at all if that is 0."""

    window_s: int = 60
    retention_days: int = 7
    raw_hours: int = 24

    @property
    def raw_ms(self) -> int:
        """How long raw values are kept where there is room."""
        return max(self.retention_days * 24, self.raw_hours) * HOUR_S * 1000

    def tier_ms(self, tier: str) -> int:
        """How long a tier is kept: a coarser one always as long as a finer one."""
        days = max(1, self.retention_days)
        kept = {"windows": days, "hours": max(days, HOURS_KEPT_DAYS), "days": max(days, DAYS_KEPT_DAYS)}
        return kept[tier] * DAY_S * 1000


@dataclass(frozen=True, slots=True)
class Packed:
    """The rows of one device's minute, ready to be written."""

    raw: list[tuple[int, bytes]]
    slips: list[tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """All devices' rows of one go: between which stamps, and how long it took by the monotonic clock."""

    first_ms: int
    last_ms: int
    lasted_ms: int
    packed: Sequence[Packed]


def pack(scans: Sequence[Scan], directory: Directory, calendar: Calendar, keeping: Keeping) -> Packed:
    """The rows of one device's scans."""
    packed = Packed([], [])
    for panel in panels(scans):
        layout = directory.layout(panel.device_id, panel.names)
        if keeping.raw_hours:
            packed.raw.append((layout, pack_sheet(panel.sheet)))
        packed.slips.append((layout, pack_slips(entries_of(panel, calendar, keeping.window_s))))
    return packed


class Archive:
    """What is done to the file. All methods block and raise `StorageFailed`."""

    def __init__(
        self, store: HistoryStore, directory: Directory, calendar: Calendar, monotonic: Callable[[], float]
    ) -> None:
        self._store = store
        self._directory = directory
        self._calendar = calendar
        self._monotonic = monotonic
        self._rows_a_step = 64

    def add(self, recorded: Recorded) -> None:
        """Write what was recorded; where there is no room for it, in the place of the oldest raw values."""
        tags, layouts = tuple(self._directory.new_tags), tuple(self._directory.new_layouts)
        raw = [row for packed in recorded.packed for row in packed.raw]
        slips = [row for packed in recorded.packed for row in packed.slips]
        minute = Minute(recorded.first_ms, recorded.last_ms, recorded.lasted_ms, tags, layouts, raw, slips)
        try:
            self._store.add(minute)
        except (DiskFull, ReadOnly):
            if not self._store.forget("raw", _ALL, _ROWS_FOR_ROOM):
                raise
            self._store.add(minute)
        self._directory.saved()

    # --- an hour is sealed

    def seal_step(self, now_ms: int) -> bool:
        """Seal the slips of one layout and all hours that are over; False when that was all. The steps of an hour
        are one transaction, in which every page is written once."""
        over = [batch.number for batch in self._over(now_ms)]
        layout = self._store.layout_with_slips(over)
        if layout is None:
            self._store.finish_sealing()
            return False
        entries: dict[int, list[Entry]] = {tag: [] for tag in self._directory.members(layout)}
        for _, body in self._store.slips(over, [layout]):
            for own, more in zip(entries.values(), readable(unpack_slips, body), strict=False):
                own += more
        blocks = [block for tag, own in entries.items() for block in self._grown(tag, own)]
        self._store.seal(blocks, layout, over)
        return True

    def _over(self, now_ms: int) -> list[Batch]:
        """The batches with slips that have no part in the hour that runs."""
        begin, end = self._calendar.window(now_ms, HOUR_S)
        batches = self._store.open_batches()
        if len(batches) > UNSEALED_MOST:
            return batches
        return [batch for batch in batches if batch.last_ms < begin or batch.first_ms >= end]

    def _grown(self, tag: int, entries: Sequence[Entry]) -> Iterable[Block]:
        """The blocks that the entries belong to, with them in: first the finest, each next made of the one before."""
        own = add_up(entries)
        starts = sorted(own)
        for tier, (block_s, entry_s) in _TIERS.items():
            if entry_s:
                own = add_up((self._calendar.window(start, entry_s)[0], summary) for start, summary in own.items())
            by_block: dict[int, dict[int, Summary]] = {}
            for start, summary in own.items():
                by_block.setdefault(self._calendar.window(start, block_s)[0], {})[start] = summary
            for block_ms, more in by_block.items():
                start_s, since_ms = block_ms // 1000, starts[bisect_left(starts, block_ms)]
                known = self._store.blocks(tier, tag, start_s, start_s + 1)
                before = [entry for block in known for entry in readable(unpack_entries, block.body)]
                grown = add_up([*before, *more.items()]) if before else more
                yield Block(tier, start_s, since_ms, tag, pack_entries(sorted(grown.items())))

    def raw_kept_ms(self) -> tuple[int, int]:
        """For how long raw values are kept, and for how long there has been recording, in recorded time."""
        return self._store.raw_kept_ms(), self._store.last_batch().recorded_ms

    # --- what is too old or too much goes

    def forget_step(self, keeping: Keeping) -> bool:
        """Forget some of what is too old, else of what is too much, the finest and oldest first; False when all is
        well. Age is counted in time that was recorded, so a clock that is set costs nothing."""
        begun = self._monotonic()
        for table, numbers in self._too_old(keeping):
            if self._store.forget(table, numbers, self._rows_a_step):
                slow = self._monotonic() - begun > STEP_S
                self._rows_a_step = max(1, self._rows_a_step // 2) if slow else min(self._rows_a_step * 2, _ROWS_MOST)
                return True
        if self._store.used_bytes() > self._store.limit_bytes * _FULL:
            return any(self._store.forget(table, _ALL, _ROWS_OVER) for table in ("raw", *_TIERS))
        return self._store.shrink()

    def _too_old(self, keeping: Keeping) -> Iterable[tuple[str, range]]:
        recorded_ms = self._store.last_batch().recorded_ms
        yield "raw", self._store.raw_before(recorded_ms - keeping.raw_ms)
        for tier in _TIERS:
            yield tier, self._store.block_before(tier, recorded_ms - keeping.tier_ms(tier))
