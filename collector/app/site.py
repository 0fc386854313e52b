"""What every part is given, and what a running collector is made of."""

import asyncio
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
    from collector.delivery.sinks.sink import Sink
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
    sinks: "tuple[Sink, ...]" = ()
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the edge id is settled and whoever waits for messages may be called upon."""


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
    further: list[Outbox] = field(default_factory=list)
    """The outboxes of the further sinks: they get the site's events, too."""

    def event(self, kind: str, fields: Mapping[str, object]) -> Message | None:
        """An event of a type, ready for the outbox; None when events are off."""
        self.events.note(kind, fields)
        return self._event(kind, fields) if self.settings.mqtt_events else None

    def sink_event(self, sink: str, kind: str, fields: Mapping[str, object]) -> Message:
        """An event about a further sink, for that sink alone: `MQTT_EVENTS` does not count there."""
        self.events.note(kind, {**fields, "sink": sink})
        return self._event(kind, fields)

    def tell(self, outbox: Outbox, kind: str, fields: Mapping[str, object]) -> None:
        """Publish an event of a type; to the broker nothing when events are off."""
        if letter := self.event(kind, fields):
            outbox.put_letter(letter)
        for further in self.further:
            further.put_letter(letter or self._event(kind, fields))

    def _event(self, kind: str, fields: Mapping[str, object]) -> Message:
        return Message(self.address.topics.events, event_body(kind, iso_utc(self.clock.wall_ms()), fields))
