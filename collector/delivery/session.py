"""One connection's worth of delivery: a sliding window, filled again at every PUBACK."""

import asyncio
from collections.abc import Callable

import structlog

from collector.clock import Clock
from collector.delivery.address import Address
from collector.delivery.answers import Answers
from collector.delivery.lessons import Lessons
from collector.delivery.message import Entry, Message
from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.reasons import ACCEPTED, TAKEN_OVER
from collector.delivery.optional import Topic
from collector.delivery.outbox import Outbox
from collector.delivery.pace import SLOW_S, LiveRate
from collector.delivery.patience import Patience
from collector.delivery.subscription import Subscription
from collector.delivery.window import STATUS, Flight, Window
from collector.status.board import Board

_LOOK_EVERY_S = 1.0
_REFILL_EVERY_S = 0.005
_BACKLOG_SHARE = 0.75
"""Of the window, beside new data: what comes has to find room at once."""

log = structlog.get_logger()

OnCommand = Callable[[bytes, bool], None]


class Session:
    """Hears what happens on a connection (a `Listener`) and feeds it from the outbox.

    `over` is settled when the connection is lost; `quiet` is set then, too, and after `finish` once all is
    acknowledged that is not safe on disk. Of a lost one: `blamed_optional`, it was because of an optional topic;
    `unanswered`, messages of the outbox were on their way.
    """

    def __init__(
        self,
        connection: MqttConnection,
        outbox: Outbox,
        lessons: Lessons,
        address: Address,
        *,
        board: Board,
        clock: Clock,
        live_rate: LiveRate,
        live_first: bool,
        on_progress: Callable[[], None],
        on_command: OnCommand,
    ) -> None:
        self.over: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()
        self.quiet = asyncio.Event()
        self.blamed_optional = False
        self.unanswered = False
        self._loop = asyncio.get_running_loop()
        self._connection = connection
        self._outbox = outbox
        self._lessons = lessons
        self._address = address
        self._clock = clock
        self._live_rate = live_rate
        self._live_first = live_first
        self._on_progress = on_progress
        self._on_command = on_command
        self._window = Window()
        self._subscription = Subscription(connection, lessons.optional, address.command_topics, board)
        self._answers = Answers(
            outbox, lessons, board, events_topic=address.events_topic, in_flight=self._window.any, wake=self._wake
        )
        self._withheld: Entry | None = None
        self._status: Message | None = None
        self._status_size: int | None = None
        self._draining = False
        self._finishing = False
        self._woken = False
        self._patience = Patience(clock.monotonic())
        self._look: asyncio.TimerHandle | None = None
        self._refill: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to listen, to watch, and to send what becomes available."""
        self._lessons.sizes.announced(self._connection.maximum_packet_size)
        self._live_rate.look(self._outbox.last_seq, self._clock.monotonic())
        if self._live_first:
            self._outbox.let_pass()
        self._outbox.on_available = self._wake
        self._connection.listen(self)
        self._look = self._loop.call_later(_LOOK_EVERY_S, self._watch)

    @property
    def looks_after_itself(self) -> bool:
        """Whether its patience is still measured, or it is over."""
        return self.over.done() or self._patience.is_kept(self._clock.monotonic())

    def send_status(self, message: Message) -> None:
        """Send before anything else; one that still waits for its turn, or for the SUBACK, is replaced."""
        self._status = message
        self._send_waiting_status()
        self._connection.flush()

    def subscribe(self) -> None:
        """Ask for commands, unless the broker is known to close on that."""
        if not self.over.done():
            self._subscription.ask()

    def finish(self) -> None:
        """Send on only what is not yet safe on disk."""
        self._finishing = True
        self.fill()

    # --- what goes next

    def fill(self) -> None:
        """Send as much as the window allows: the status, then letters, then data."""
        self._woken = False
        if self.over.done() or self._subscribing:
            return
        self._send_waiting_status()
        window = self._window
        room = min(self._lessons.caution.window, self._connection.receive_maximum)
        while window.has_room(room) and (flight := self._next(room)) is not None:
            self._send(flight.entry.topic, flight.entry.payload, flight)
        if self._finishing and not window and (self._outbox.idle or self._outbox.rests_on_disk):
            self.quiet.set()
        self._connection.flush()

    @property
    def _subscribing(self) -> bool:
        return self._subscription.awaited and not self._finishing

    def _send_waiting_status(self) -> None:
        room = len(self._window) < self._connection.receive_maximum
        if self._status is None or self.over.done() or self._subscribing or not room:
            return
        status, self._status = self._status, None
        if not self._lessons.leave_out(status):
            self._status_size = len(status.payload)
            self._send(status.topic, status.payload, Flight(STATUS, self._clock.monotonic()))

    def _next(self, room: int) -> Flight | None:
        if self._finishing and self._outbox.rests_on_disk:
            return None
        while (flight := self._waiting(room)) is not None:
            if self._lessons.caution.on_trial(flight.entry):
                self._withheld = flight.entry
                continue
            objection = self._lessons.sizes.objection(flight.entry.topic, flight.entry.payload)
            if objection is None:
                return flight
            self._outbox.refuse(flight.entry, objection)
        return None

    def _waiting(self, room: int) -> Flight | None:
        now = self._clock.monotonic()
        if (entry := self._letter()) is not None:
            return Flight(entry, now)
        if not self._answers.let(is_data=True):
            return None
        if self._live_first and (entry := self._outbox.take_young()) is not None:
            return Flight(entry, now)
        return self._in_order(room, now)

    def _letter(self) -> Entry | None:
        optional = self._lessons.optional
        while self._answers.let(is_data=False):
            entry = self._outbox.take(data=False)
            if entry is None or entry.topic != self._address.events_topic:
                return entry
            if not optional.suspended(Topic.EVENTS):
                optional.used(Topic.EVENTS)
                return entry
            self._answers.fold(entry)
        return None

    def _in_order(self, room: int, now: float) -> Flight | None:
        pace, backlog = self._lessons.pace, self._outbox.backlog > 0
        if backlog and not self._draining:
            pace.begin(self._live_rate.per_s, now)
        self._draining = backlog
        if backlog and not self._may_drain(room, now):
            return None
        entry = self._outbox.take(letters=False)
        if entry is None:
            return None
        if backlog:
            pace.sent()
        return Flight(entry, now, backlog)

    def _may_drain(self, room: int, now: float) -> bool:
        if self._live_first and self._window.backlog >= max(1, int(room * _BACKLOG_SHARE)):
            return False
        wait_s = self._lessons.pace.wait_s(now)
        if wait_s and self._refill is None:
            self._refill = self._loop.call_later(max(wait_s, _REFILL_EVERY_S), self._refilled)
        return not wait_s

    def _send(self, topic: str, payload: bytes, flight: Flight) -> None:
        if not self._window:
            self._patience.progress(flight.sent_at)
        self._window.add(self._connection.publish(topic, payload), flight)

    def _refilled(self) -> None:
        self._refill = None
        self.fill()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self.fill)

    # --- what the broker says

    def acknowledged(self, packet_id: int, code: int) -> None:
        """PUBACK."""
        oldest = self._window.oldest
        flight = self._window.answered(packet_id)
        if flight is None:
            return
        now = self._clock.monotonic()
        if flight is oldest:  # PUBACKs come in the order of the messages: MQTT 5, 4.6; one passed over never comes
            self._patience.progress(now)
        if flight.entry is not STATUS:
            self._lessons.one_passed()
            if flight.entry.is_data:
                self._lessons.pace.acknowledged(flight.sent_at, now)
                self._convict(code)
            self._answers.came(flight.entry, code)
        # A status that passes proves little while the same message ends one connection after the other.
        if flight.entry is not STATUS or not self._lessons.caution.suspects:
            self._on_progress()
        if self._finishing or self._status is not None or not self._outbox.idle:
            self.fill()

    def _convict(self, code: int) -> None:
        if self._withheld is not None and code in ACCEPTED:
            self._outbox.refuse(self._withheld, "the broker closes whenever it is sent, and takes the one after it")
            self._withheld = None
            self._lessons.caution.convicted()

    def received(self, payload: bytes, retained: bool) -> None:
        """A command."""
        try:
            self._on_command(payload, retained)
        except Exception:
            # Whatever a command sets off, it must not cost the connection that the data needs.
            log.exception("command failed")

    def subscribed(self, refused: int | None) -> None:
        """SUBACK."""
        self._subscription.answered(refused)
        self.fill()

    def lost(self, lost: Lost) -> None:
        """The connection is over: what is in flight waits again."""
        if self.over.done():
            return
        for timer in (self._look, self._refill):
            if timer is not None:
                timer.cancel()
        self._answers.stop()
        self._learn(lost)
        self._outbox.outage()
        self.over.set_result(lost)
        self.quiet.set()

    def _learn(self, lost: Lost) -> None:
        lessons, sent = self._lessons, list(self._window.entries)
        lessons.status.lost(self._status_size, lost, waiting=not self._outbox.idle)
        self.blamed_optional, self.unanswered = lessons.optional.lost(lost), bool(sent)
        if self._patience.exhausted:
            lessons.caution.stall()
        elif not self.blamed_optional and lost.code != TAKEN_OVER:
            culprit = lessons.caution.lost(sent, lost)
            if culprit is not None:
                lessons.sizes.refused(len(culprit.payload))
                self._outbox.refuse(culprit, lost.words)

    # --- patience

    def _watch(self) -> None:
        if self.over.done():
            return
        now = self._clock.monotonic()
        self._live_rate.look(self._outbox.last_seq, now)
        oldest = self._window.oldest
        if oldest is not None and now - oldest.sent_at > SLOW_S:
            self._lessons.pace.slow(oldest.sent_at, now)
        self._patience.look(now, self._connection.traffic(), waiting=bool(self._window))
        if self._patience.exhausted:
            self._connection.drop(Lost(self._patience.complaint))
            return
        self._look = self._loop.call_later(_LOOK_EVERY_S, self._watch)
        self.subscribe()
        self.fill()
