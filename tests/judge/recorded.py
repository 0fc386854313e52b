"""What "recorded" means: the moment from which the promise holds."""

from collections.abc import Mapping, Sequence

from tests.judge.records import Life

READ_S = 0.15
"""From the PLC's answer until the collector has made a message of it, on two busy cores."""


def owed(
    made: Mapping[int, float],
    lives: Sequence[Life],
    unanswered: Sequence[tuple[float, float]] = (),
    *,
    commit_s: float,
    fsync_s: float,
) -> frozenset[int]:
    """The samples that must have been recorded: no power cut or kill -9 may cost one of them.

    A sample is recorded `commit_s` (``BUFFER_COMMIT_MS``) and one fsync after it was read; a collector that is
    killed before owes it to nobody. One that is asked to stop owes all that it has read. What the PLC made while its
    answers got lost, from and to, nobody has read.
    """
    needs = [(life, READ_S + (commit_s + fsync_s if life.killed else 0.0)) for life in lives]
    return frozenset(
        sample
        for sample, at in made.items()
        if any(life.began <= at <= life.ended - margin for life, margin in needs)
        and not any(lost_from <= at <= lost_to for lost_from, lost_to in unanswered)
    )
