"""What every part is given, and what a running collector is made of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.alarms.alarms import Alarms
from collector.clock import Clock, iso_utc
from collector.config.plan import Plan
from collector.delivery.address import EdgeAddress
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.polling.scan import Scan
from collector.settings import Settings
from collector.status.board import Board
from collector.status.clock_watch import ClockWatch
from collector.status.recent import RecentEvents, RecentLines
from fleet_client.events import event_body

if TYPE_CHECKING:
    from collector.history.history import History


@dataclass(slots=True)
class Collector:
    """A running collector, for those who look at it from within the same process."""

    board: Board
    outbox: Outbox
    clock_watch: ClockWatch
    on_scan: list[Callable[[Scan], None]]
    on_plan: list[Callable[[Plan], None]] = field(default_factory=list)
    history: "History | None" = None
    alarms: Alarms | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """Who we are, what is set, and where all write down what they see."""

    settings: Settings
    clock: Clock
    board: Board
    address: EdgeAddress
    events: RecentEvents
    lines: RecentLines
    hide: Callable[[str], None]

    def event(self, kind: str, fields: Mapping[str, object]) -> Message | None:
        """An event of a type, ready for the outbox; None when events are off."""
        self.events.note(kind, fields)
        if not self.settings.mqtt_events:
            return None
        return Message(self.address.topics.events, event_body(kind, iso_utc(self.clock.wall_ms()), fields))

    def tell(self, outbox: Outbox, kind: str, fields: Mapping[str, object]) -> None:
        """Publish an event of a type; nothing when events are off."""
        if letter := self.event(kind, fields):
            outbox.put_letter(letter)
