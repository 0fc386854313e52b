"""What the connections so far have taught, for those to come."""

from dataclasses import dataclass
from typing import Self

from collector.clock import Clock
from collector.delivery.audience import Audience
from collector.delivery.caution import Caution
from collector.delivery.message import Message
from collector.delivery.optional import OptionalTopics
from collector.delivery.pace import Pace
from collector.delivery.sizes import Sizes
from collector.delivery.status_trial import StatusTrial
from collector.status.board import Board


@dataclass(frozen=True, slots=True)
class Lessons:
    """Each thing learned has its owner; all outlive the connections of one publisher."""

    caution: Caution
    optional: OptionalTopics
    audience: Audience
    sizes: Sizes
    pace: Pace
    status: StatusTrial

    @classmethod
    def none_yet(cls, clock: Clock, board: Board, replay_rate: float | None) -> Self:
        """At the start."""
        return cls(
            Caution(),
            OptionalTopics(clock, board),
            Audience(clock, board),
            Sizes(clock),
            Pace(replay_rate),
            StatusTrial(clock),
        )

    def one_passed(self) -> None:
        """The broker answered a message of the outbox."""
        if self.status.others_pass():
            self.optional.pardon()
            self.caution.pardon()

    def leave_out(self, status: Message) -> bool:
        """Whether a status is better not sent: it would cost the connection."""
        return self.status.leaves_out(len(status.payload)) or self.sizes.over_announced(status)
