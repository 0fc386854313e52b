"""What a trial gave: a row of the table, an entry of the result file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.judge.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Outcome:
    """`cycles` of a kind of trial, and their verdicts. `must_lose`: a control, which proves that losses are seen.

    `figures` are measured beside the verdicts, `targets` what some of them may not exceed. `series` are figures over
    time, for the result file only. `trouble` says why a trial came to no verdict.
    """

    name: str
    what: str
    cycles: int
    seconds: float
    verdicts: tuple[Verdict, ...]
    must_lose: bool = False
    figures: Mapping[str, float] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    series: Mapping[str, Sequence[float]] = field(default_factory=dict)
    trouble: str = ""

    @property
    def met(self) -> bool:
        """Whether it went as promised, and no figure exceeds its target."""
        if self.trouble:
            return False
        kept = self.lost > 0 if self.must_lose else all(verdict.kept for verdict in self.verdicts)
        return kept and all(self.figures[name] <= target for name, target in self.targets.items())

    @property
    def lost(self) -> int:
        """Recorded samples that neither arrived nor were named."""
        return self.sum("lost")

    @property
    def findings(self) -> tuple[str, ...]:
        """What the judge found, in words."""
        if self.trouble:
            return (self.trouble,)
        return tuple(f"{found.rule}: {found.words}" for verdict in self.verdicts for found in verdict.findings)

    def sum(self, figure: str) -> int:
        """One of a verdict's figures over all of them."""
        return sum(int(getattr(verdict, figure)) for verdict in self.verdicts)

    def as_json(self) -> dict[str, object]:
        """For the result file."""
        counts = ("made", "owed", "delivered", "named", "forgotten", "lost", "arrived", "duplicates", "restarts")
        return {
            "what": self.what,
            "cycles": self.cycles,
            "seconds": round(self.seconds, 1),
            **{count: self.sum(count) for count in counts},
            "must_lose": self.must_lose,
            "figures": {name: round(figure, 4) for name, figure in self.figures.items()},
            "targets": dict(self.targets),
            "series": {name: [round(value, 3) for value in values] for name, values in self.series.items()},
            "met": self.met,
            "findings": [] if self.must_lose else list(self.findings[:20]),
        }


def all_met(outcomes: Iterable[Outcome]) -> bool:
    """Whether nothing was lost, and the control lost."""
    return all(outcome.met for outcome in outcomes)
