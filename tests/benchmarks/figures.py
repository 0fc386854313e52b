"""What was measured: a spread, what it is held against, and the floor's own figure."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

Sign = Literal["≤", "<", "=", "≥"]


@dataclass(frozen=True, slots=True)
class Target:
    """What the median has to keep to."""

    sign: Sign
    limit: float

    def met(self, value: float) -> bool:
        """Whether it does."""
        limit = self.limit
        return {"≤": value <= limit, "<": value < limit, "=": value == limit, "≥": value >= limit}[self.sign]

    def __str__(self) -> str:
        return f"{self.sign} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table, or one cell where a subject has cases: 1, 10, 100 devices.

    `floor` holds what the bare loop took for the same, in the same unit. `whole` is the figure over all windows
    together, where that is another than the median of each window's own.
    """

    subject: str
    name: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None
    floor: tuple[float, ...] = ()
    whole: float | None = None
    case: str = ""

    @property
    def key(self) -> str:
        """What it is called from run to run."""
        parts = [self.subject, self.case, self.name] if self.case else [self.subject, self.name]
        return ": ".join(parts) + (f" [{self.unit}]" if self.unit else "")

    @property
    def median(self) -> float:
        """The figure itself."""
        return median(self.values) if self.whole is None else self.whole

    @property
    def met(self) -> bool | None:
        """Whether it keeps to its target; None without one."""
        return None if self.target is None else self.target.met(self.median)

    @property
    def floor_median(self) -> float | None:
        """The floor's figure, where it has one."""
        return median(self.floor) if self.floor else None

    @property
    def ratio(self) -> float | None:
        """How many times the floor's."""
        return self.median / self.floor_median if self.floor_median else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
