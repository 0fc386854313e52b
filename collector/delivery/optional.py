"""Topics that the given server does not know of: used where the broker lets us, given up for a day where it does not.

Some brokers, aedes among them, close the connection without a word on a topic that is not allowed.
"""

from enum import StrEnum

import structlog

from collector.clock import Clock
from collector.delivery.mqtt.connection import Lost
from collector.delivery.mqtt.reasons import MAY_MEAN_A_TOPIC, words
from collector.status.board import Board

BLAMED_WITHIN_S = 2.0
SUSPENDED_S = 86_400.0
_STRIKES = 2

log = structlog.get_logger()


class Topic(StrEnum):
    """The topics that may be given up."""

    COMMANDS = "commands"
    EVENTS = "events"


class OptionalTopics:
    """Outlives the connections of one publisher."""

    def __init__(self, clock: Clock, board: Board) -> None:
        self._clock = clock
        self._board = board
        self._unanswered: dict[Topic, float] = {}
        self._strikes: dict[Topic, int] = {}
        self._suspended: dict[Topic, float] = {}
        self._why: dict[Topic, str] = {}

    def used(self, topic: Topic) -> None:
        """A subscription or a message is on its way."""
        self._unanswered.setdefault(topic, self._clock.monotonic())

    def accepted(self, topic: Topic) -> None:
        """The broker answered, and it was no refusal."""
        self._unanswered.pop(topic, None)
        self._strikes.pop(topic, None)

    def refused(self, topic: Topic, why: str) -> None:
        """The broker said no, in words or by closing: the second time in a row suspends the topic."""
        self._unanswered.pop(topic, None)
        self._strikes[topic] = self._strikes.get(topic, 0) + 1
        if self._strikes[topic] >= _STRIKES:
            self._suspend(topic, why)

    def pardon(self) -> None:
        """It was something else that the broker closed on."""
        self._strikes.clear()
        self._suspended.clear()
        self._why.clear()
        self._show()

    def waiting(self, topic: Topic) -> bool:
        """Whether the topic was used a moment ago, so that a close may still mean it."""
        return self._clock.monotonic() - self._unanswered.get(topic, float("-inf")) <= BLAMED_WITHIN_S

    def lost(self, lost: Lost) -> bool:
        """The connection is over; whether an optional topic is to blame: the first that had no answer."""
        now = self._clock.monotonic()
        recent = [topic for topic, since in self._unanswered.items() if now - since <= BLAMED_WITHIN_S]
        self._unanswered.clear()
        by_broker = lost.closed_by_broker and (lost.code is None or lost.code in MAY_MEAN_A_TOPIC)
        if not recent or not by_broker:
            return False
        self.refused(recent[0], "the broker closes the connection" if lost.code is None else words(lost.code))
        return True

    def suspended(self, topic: Topic) -> bool:
        """Whether the topic is not to be used for now."""
        until = self._suspended.get(topic)
        if until is not None and self._clock.monotonic() >= until:
            del self._suspended[topic], self._why[topic]
            self._strikes.pop(topic, None)
            self._show()
        return topic in self._suspended

    def _suspend(self, topic: Topic, why: str) -> None:
        self._suspended[topic] = self._clock.monotonic() + SUSPENDED_S
        self._why[topic] = why
        log.warning("topic is not used for a day", topic=topic.value, reason=why)
        self._show()

    def _show(self) -> None:
        if Topic.EVENTS not in self._suspended:
            self._board.folded_events.clear()
        if not self._suspended:
            self._board.clear_condition("topic_suspended")
            return
        parts = (f"{topic.value} ({self._why[topic]})" for topic in self._suspended)
        self._board.raise_condition("topic_suspended", f"not used for a day: {', '.join(parts)}")
