"""Which units of a serial line may still answer a question that nobody waits for any more.

Serial frames carry no transaction id: a late answer looks like that to a later question of the same size. So
a unit that owes an answer is not asked again before it has given it, or had as long again as it was allowed.
"""

from collections.abc import Hashable
from dataclasses import dataclass

from protocols.modbus.question import Question


@dataclass(frozen=True, slots=True)
class Debt:
    """A question that was given up, and until when its answer may come (monotonic seconds)."""

    question: Question
    until: float


class LineDebts:
    """The debts of one line's units."""

    def __init__(self) -> None:
        self._debts: dict[int, Debt] = {}

    def record(self, question: Question, now: float) -> None:
        """The question was given up now."""
        self._debts[question.unit] = Debt(question, now + question.timeout_s)

    def settle(self, unit: int) -> None:
        """The unit has answered."""
        self._debts.pop(unit, None)

    def of(self, unit: int, now: float) -> Debt | None:
        """What a unit owes now, if anything."""
        debt = self._debts.get(unit)
        if debt and debt.until <= now:
            del self._debts[unit]
            return None
        return debt


class Debts:
    """The debts of all lines, by link: they outlive the session in which they were made."""

    def __init__(self) -> None:
        self._lines: dict[Hashable, LineDebts] = {}

    def of(self, link: Hashable) -> LineDebts:
        """Those of one line."""
        return self._lines.setdefault(link, LineDebts())
