"""The collector's books over all its lives: a kill -9 must not make anybody's count begin anew."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collector.status.board import BufferState
from collector.storage.errors import DataFolderInUse, StorageFailed
from collector.storage.inspection import inspecting
from simulators.ledger import Account
from simulators.number_set import NumberSet


@dataclass(frozen=True, slots=True)
class Left:
    """What waits in the file of a collector that has ended: how much of all starts, and by number that of the last."""

    messages: int
    numbers: NumberSet


@dataclass(frozen=True, slots=True)
class Life:
    """A start of the collector that has ended, with the numbers of its messages that waited in its file then.

    What it had counted nobody can ask any more: recorded are those that a subscriber has, that waited, or that an
    event names.
    """

    epoch: str
    given_up: int
    waited: NumberSet

    def recorded(self, account: Account | None) -> int:
        """How many were, by what a subscriber has of this start by now."""
        numbers = NumberSet()
        ranges = self.waited.ranges()
        if account is not None:
            ranges += account.seqs.ranges() + [(gap.first, gap.last) for gap in account.gaps]
        for first, last in ranges:
            numbers.add_range(first, last)
        return len(numbers)


@dataclass(slots=True)
class Lives:
    """Those that have ended; the present one `found` so many of their messages waiting, or lost while they waited."""

    past: list[Life] = field(default_factory=list)
    found: int = 0

    def total(self, counts: BufferState, accounts: Mapping[str, Account]) -> BufferState:
        """`counts` are those of the present life, `accounts` the subscriber's by start.

        What was recorded before, was not given up and was not found again had been acknowledged; if it had not, the
        subscriber would have received less than was acknowledged.
        """
        recorded = sum(life.recorded(accounts.get(life.epoch)) for life in self.past) - self.found
        given_up = sum(life.given_up for life in self.past)
        return BufferState(
            messages=counts.messages,
            recorded=counts.recorded + recorded,
            acknowledged=counts.acknowledged + recorded - given_up,
            dropped=counts.dropped + given_up,
        )


def left_behind(folder: Path, epoch: str, counts: BufferState) -> Left:
    """What waits in the outbox of a collector that has ended with these counts, which serve where nothing can be read.

    Blocks.
    """
    messages, numbers = 0, NumberSet()
    try:
        for found_epoch, seq in _waiting(folder):
            messages += 1
            if found_epoch == epoch and seq is not None:
                numbers.add(seq)
    except (StorageFailed, DataFolderInUse):
        return Left(counts.messages, numbers)
    return Left(messages, numbers)


def _waiting(folder: Path) -> Iterator[tuple[str | None, int | None]]:
    with inspecting(folder) as outbox:
        after: int | None = 0
        while after is not None:
            rows, after = outbox.waiting("data", after)
            yield from ((row.record.epoch, row.record.seq) for row in rows)
