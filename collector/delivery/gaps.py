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
        "from": iso_utc(gap.from_ms),
        "to": iso_utc(gap.to_ms),
        "reason": reason,
    }


def unknown_gap_fields(epoch: str, count: int) -> dict[str, object]:
    """The fields of a ``gap`` event about messages of which nothing is known but how many they were."""
    fields: dict[str, object] = {"epoch": epoch, "from_seq": None, "to_seq": None, "count": count}
    return fields | {"from": None, "to": None, "reason": "corrupt"}


class Losses:
    """Messages that were dropped from memory, as ranges."""

    def __init__(self) -> None:
        self._gaps: list[Gap] = []

    def add(self, entry: Entry) -> None:
        """Note one lost data message."""
        assert entry.epoch is not None and entry.seq is not None  # noqa: S101, PT018 - letters are never dropped
        last = self._gaps[-1] if self._gaps else None
        if last is not None and last.epoch == entry.epoch and last.to_seq + 1 == entry.seq:
            self._gaps[-1] = Gap(last.epoch, last.from_seq, entry.seq, last.count + 1, last.from_ms, entry.stamp_ms)
        else:
            self._gaps.append(Gap(entry.epoch, entry.seq, entry.seq, 1, entry.stamp_ms, entry.stamp_ms))

    def __bool__(self) -> bool:
        return bool(self._gaps)

    def take(self) -> list[Gap]:
        """What was lost since the last time."""
        gaps, self._gaps = self._gaps, []
        return gaps
