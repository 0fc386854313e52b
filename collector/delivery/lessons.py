"""What the connections so far have taught, for those to come."""

from dataclasses import dataclass
from typing import Self

from collector.clock import Clock
from collector.delivery.audience import Audience
from collector.delivery.caution import Caution
from collector.delivery.optional import OptionalTopics
from collector.delivery.pace import Pace
from collector.delivery.sizes import Sizes
from collector.status.board import Board


@dataclass(frozen=True, slots=True)
class Lessons:
    """Each thing learned has its owner; all outlive the connections of one publisher."""

    caution: Caution
    optional: OptionalTopics
    audience: Audience
    sizes: Sizes
    pace: Pace

    @classmethod
    def none_yet(cls, clock: Clock, board: Board, replay_rate: float | None) -> Self:
        """At the start."""
        return cls(Caution(), OptionalTopics(clock, board), Audience(clock, board), Sizes(clock), Pace(replay_rate))
