"""What one poll cycle of one device gave: one object a cycle, none a value."""

from dataclasses import dataclass

from collector.config.plan import DevicePlan
from protocols.base import Value
from protocols.quality import Quality


@dataclass(frozen=True, slots=True)
class Scan:
    """The tags that were due, in the config's order: a value or None each, and why not where not.

    `stamp_ms` is the wall time of the cycle's last answer, unique a device. `bad` is keyed by the position in
    `names`; a tag of `uncertain` quality is in it and has its value too. `reduced`: tags that were due are left
    out, for they have not changed.
    """

    device: DevicePlan
    stamp_ms: int
    names: tuple[str, ...]
    values: list[Value | None]
    bad: dict[int, Quality]
    reduced: bool = False

    @property
    def empty(self) -> bool:
        """Whether no tag has a value."""
        return len(self.bad) >= len(self.names) and all(value is None for value in self.values)
