"""Losses, named: the fields of a gap event, and the gathering of single losses into unbroken ranges."""

from collector.clock import iso_utc
from collector.delivery.message import Entry
from collector.storage.records import Gap


def gap_fields(gap: Gap, reason: str) -> dict[str, object]:
    """The fields of a ``gap`` event. `reason`: ``limit``, ``refused``, ``corrupt``, ``storage``, ``cleared``."""
    return {
        "epoch": gap.epoch,
        "from_seq": gap.from_seq,
        "to_seq": gap.to_seq,
        "count": gap.count,
        "from": None if gap.from_ms is None else iso_utc(gap.from_ms),
        "to": None if gap.to_ms is None else iso_utc(gap.to_ms),
        "reason": reason,
    }


def unlocated(epoch: str, count: int) -> Gap:
    """Messages of which nothing is known but how many they were."""
    return Gap(epoch, None, None, count, None, None)


class Losses:
    """Messages that were dropped from memory, as ranges."""

    def __init__(self) -> None:
        self._ranges: list[tuple[Entry, Entry]] = []

    def add(self, entry: Entry) -> None:
        """Note one lost data message."""
        first, last = self._ranges[-1] if self._ranges else (None, None)
        if first and last and last.epoch == entry.epoch and (last.seq or 0) + 1 == entry.seq:
            self._ranges[-1] = first, entry
        else:
            self._ranges.append((entry, entry))

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def take(self) -> list[Gap]:
        """What was lost since the last time."""
        ranges, self._ranges = self._ranges, []
        return [_gap(first, last) for first, last in ranges]


def _gap(first: Entry, last: Entry) -> Gap:
    count = (last.seq or 0) - (first.seq or 0) + 1
    return Gap(first.epoch or "", first.seq, last.seq, count, first.stamp_ms, last.stamp_ms)
