"""One connection's worth of delivery: a sliding window, filled again at every PUBACK, and the broker's answers."""

import asyncio
from collections.abc import Callable

import structlog

from collector.clock import Clock
from collector.delivery.caution import Caution
from collector.delivery.hold import Hold
from collector.delivery.message import Entry, Message
from collector.delivery.mqtt.connection import Lost, MqttConnection
from collector.delivery.mqtt.reasons import ABOUT_THE_MESSAGE, ACCEPTED, words
from collector.delivery.outbox import Outbox
from collector.status.board import Board

WINDOW_BYTES = 1 << 20
PATIENCE_S = 10.0
_LOOK_EVERY_S = 1.0
_HEADER_BYTES = 16
_STATUS = Entry("", b"", 0, 0.0)

log = structlog.get_logger()

OnCommand = Callable[[bytes, bool], None]


class Session:
    """Hears what happens on a connection (a `Listener`) and feeds it from the outbox.

    `over` is settled when the connection is lost; `quiet` is set then, too, and after `finish` once all is
    acknowledged that is not safe on disk.
    """

    def __init__(
        self,
        connection: MqttConnection,
        outbox: Outbox,
        caution: Caution,
        *,
        board: Board,
        clock: Clock,
        on_progress: Callable[[], None],
        on_command: OnCommand,
    ) -> None:
        self.over: asyncio.Future[Lost] = asyncio.get_running_loop().create_future()
        self.quiet = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._outbox = outbox
        self._caution = caution
        self._board = board
        self._clock = clock
        self._on_progress = on_progress
        self._on_command = on_command
        self._connection = connection
        self._in_flight: dict[int, Entry] = {}
        self._bytes = 0
        self._status: Message | None = None
        self._holds = {is_data: Hold(is_data, self._release) for is_data in (True, False)}
        self._finishing = False
        self._woken = False
        self._stalled = False
        self._progress_at = clock.monotonic()
        self._traffic = (0, 0)
        self._look: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin to listen, to watch, and to send what becomes available."""
        self._outbox.on_available = self._wake
        self._connection.listen(self)
        self._watch()

    def send_status(self, message: Message) -> None:
        """Send before anything else; one that still waits for its turn is replaced."""
        self._status = message
        self.fill()

    def finish(self) -> None:
        """Send on only what is not yet safe on disk."""
        self._finishing = True
        self.fill()

    def fill(self) -> None:
        """Send as much as the window allows: the status, then letters, then data."""
        self._woken = False
        if self.over.done():
            return
        connection = self._connection
        if self._status is not None and len(self._in_flight) < connection.receive_maximum:
            status, self._status = self._status, None
            self._send(status.topic, status.payload, _STATUS)
        room = min(self._caution.window, connection.receive_maximum)
        while len(self._in_flight) < room and self._bytes < WINDOW_BYTES:
            entry = self._next(connection.maximum_packet_size)
            if entry is None:
                break
            self._bytes += len(entry.payload)
            self._send(entry.topic, entry.payload, entry)
        if self._finishing and not self._in_flight and (self._outbox.idle or self._outbox.rests_on_disk):
            self.quiet.set()

    def _next(self, largest: int | None) -> Entry | None:
        if self._finishing and self._outbox.rests_on_disk:
            return None
        while True:
            entry = self._outbox.take(letters=not self._holds[False].active, data=not self._holds[True].active)
            if entry is None or largest is None:
                return entry
            size = len(entry.payload) + len(entry.topic.encode()) + _HEADER_BYTES
            if size <= largest:
                return entry
            self._outbox.refuse(entry, f"{size} bytes, and the broker takes at most {largest}")

    def _send(self, topic: str, payload: bytes, entry: Entry) -> None:
        if not self._in_flight:
            self._progress_at = self._clock.monotonic()
        self._in_flight[self._connection.publish(topic, payload)] = entry

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self.fill)

    # --- what the broker says

    def acknowledged(self, packet_id: int, code: int) -> None:
        """PUBACK: accepted, refused for good, or refused for now."""
        entry = self._in_flight.pop(packet_id, None)
        if entry is None:
            return
        self._progress_at = self._clock.monotonic()
        if entry is not _STATUS:
            self._bytes -= len(entry.payload)
            self._answered(entry, code)
        self._on_progress()
        self.fill()

    def received(self, payload: bytes, retained: bool) -> None:
        """A command."""
        try:
            self._on_command(payload, retained)
        except Exception:
            # Whatever a command sets off, it must not cost the connection that the data needs.
            log.exception("command failed")

    def subscribed(self, refused: int | None) -> None:
        """SUBACK."""
        if refused is None:
            self._board.clear_condition("commands_refused")
            return
        log.warning("the broker does not let commands in", reason=words(refused))
        self._board.raise_condition("commands_refused", words(refused))

    def lost(self, lost: Lost) -> None:
        """The connection is over: what is in flight waits again."""
        if self.over.done():
            return
        for timer in (self._look, *(hold.timer for hold in self._holds.values())):
            if timer is not None:
                timer.cancel()
        if self._stalled:
            self._caution.stall()
        else:
            in_flight = [entry for entry in self._in_flight.values() if entry is not _STATUS]
            culprit = self._caution.lost(in_flight, lost)
            if culprit is not None:
                self._outbox.refuse(culprit, lost.words)
        self._outbox.outage()
        self.over.set_result(lost)
        self.quiet.set()

    def _answered(self, entry: Entry, code: int) -> None:
        if code in ACCEPTED:
            self._outbox.acknowledge(entry)
            self._caution.acknowledged(entry)
            self._welcome(entry.is_data)
        elif code in ABOUT_THE_MESSAGE:
            self._outbox.refuse(entry, words(code))
        else:
            self._hold(entry, code)
        hold = self._holds[entry.is_data]
        if hold.due:
            self._release(hold)

    def _hold(self, entry: Entry, code: int) -> None:
        detail = f"the broker takes nothing on {entry.topic}: {words(code)}; messages are kept"
        if not self._caution.refusing:
            log.error("the broker refuses messages", topic=entry.topic, reason=words(code))
        self._caution.refusing.add(entry.is_data)
        self._board.raise_condition("broker_refuses", detail)
        self._holds[entry.is_data].begin(self._loop)

    def _release(self, hold: Hold) -> None:
        """Try again with what was refused, in order: so not before the answers to what followed it are in."""
        if any(entry is not _STATUS and entry.is_data is hold.is_data for entry in self._in_flight.values()):
            return
        hold.end()
        self._outbox.rewind(data=hold.is_data, letters=not hold.is_data)
        self._wake()

    def _welcome(self, is_data: bool) -> None:
        if is_data not in self._caution.refusing:
            return
        self._caution.refusing.discard(is_data)
        self._holds[is_data].backoff.reset()
        if not self._caution.refusing:
            log.info("the broker takes messages again")
            self._board.clear_condition("broker_refuses")

    # --- patience

    def _watch(self) -> None:
        if self.over.done():
            return
        now = self._clock.monotonic()
        if not self._in_flight or self._uplink_is_slow():
            self._progress_at = now
        if now - self._progress_at >= PATIENCE_S:
            self._stalled = True
            self._connection.drop(Lost(f"no PUBACK for {PATIENCE_S:g} s"))
            return
        self._look = self._loop.call_later(_LOOK_EVERY_S, self._watch)

    def _uplink_is_slow(self) -> bool:
        """Whether bytes keep arriving at the broker's machine while others still wait for the line."""
        before, self._traffic = self._traffic, self._connection.traffic()
        return before[0] > 0 and self._traffic[0] > 0 and self._traffic[1] > before[1]
