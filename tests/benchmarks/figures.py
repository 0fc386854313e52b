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
    """One line of the table. `floor` holds what the bare loop took for the same, in the same unit."""

    subject: str
    name: str
    unit: str
    values: tuple[float, ...]
    target: Target | None = None
    floor: tuple[float, ...] = ()

    @property
    def median(self) -> float:
        """The figure itself."""
        return median(self.values)

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
