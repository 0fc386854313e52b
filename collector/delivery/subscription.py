"""The subscription to commands: asked for before anything else is sent, and waited for, but not for ever."""

from collections.abc import Sequence

import structlog

from collector.delivery.mqtt.connection import MqttConnection
from collector.delivery.mqtt.reasons import words
from collector.delivery.optional import OptionalTopics, Topic
from collector.status.board import Board

log = structlog.get_logger()


class Subscription:
    """Of one connection."""

    def __init__(
        self, connection: MqttConnection, optional: OptionalTopics, topics: Sequence[str], board: Board
    ) -> None:
        self._connection = connection
        self._optional = optional
        self._topics = topics
        self._board = board
        self._asked = False

    @property
    def awaited(self) -> bool:
        """Whether all else has to wait: who sees `online` may send a command at once, and until the broker has answered
        it would be lost; and a close has to mean the subscription and nothing else."""
        return self._optional.waiting(Topic.COMMANDS)

    def ask(self) -> None:
        """Ask for commands, once, unless the broker is known to close on that."""
        if self._topics and not self._asked and not self._optional.suspended(Topic.COMMANDS):
            self._asked = True
            self._optional.used(Topic.COMMANDS)
            self._connection.subscribe(self._topics)

    def answered(self, refused: int | None) -> None:
        """SUBACK, with the code of the refusal if it was one."""
        self._optional.accepted(Topic.COMMANDS)
        if refused is None:
            self._board.clear_condition("commands_refused")
        else:
            log.warning("the broker does not let commands in", reason=words(refused))
            self._board.raise_condition("commands_refused", words(refused))
