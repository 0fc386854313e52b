"""What every part is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from collector.clock import Clock, iso_utc
from collector.delivery.address import EdgeAddress
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.settings import Settings
from collector.status.board import Board
from fleet_client.events import event_body


@dataclass(frozen=True, slots=True)
class Site:
    """Who we are, what is set, and where all write down what they see."""

    settings: Settings
    clock: Clock
    board: Board
    address: EdgeAddress

    def event(self, kind: str, fields: Mapping[str, object]) -> Message | None:
        """An event of a type, ready for the outbox; None when events are off."""
        if not self.settings.mqtt_events:
            return None
        return Message(self.address.topics.events, event_body(kind, iso_utc(self.clock.wall_ms()), fields))

    def tell(self, outbox: Outbox, kind: str, fields: Mapping[str, object]) -> None:
        """Publish an event of a type; nothing when events are off."""
        if letter := self.event(kind, fields):
            outbox.put_letter(letter)
