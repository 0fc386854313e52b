"""What the broker's PUBACKs mean: taken, refused for good, or refused for now."""

import asyncio
import json
from collections.abc import Callable

import structlog

from collector.delivery.hold import Hold
from collector.delivery.lessons import Lessons
from collector.delivery.message import Entry
from collector.delivery.mqtt.reasons import ABOUT_THE_MESSAGE, ACCEPTED, PACKET_TOO_LARGE, words
from collector.delivery.optional import Topic
from collector.delivery.outbox import Outbox
from collector.status.board import Board

log = structlog.get_logger()


class Answers:
    """Of one connection. `in_flight` says whether any data, or any letter, still waits for its answer."""

    def __init__(
        self,
        outbox: Outbox,
        lessons: Lessons,
        board: Board,
        *,
        events_topic: str,
        in_flight: Callable[[bool], bool],
        wake: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._lessons = lessons
        self._board = board
        self._events_topic = events_topic
        self._in_flight = in_flight
        self._wake = wake
        self._holds = {is_data: Hold(is_data, self._release) for is_data in (True, False)}

    def let(self, *, is_data: bool) -> bool:
        """Whether data, or letters, may be sent now."""
        return not self._holds[is_data].active

    def came(self, entry: Entry, code: int) -> None:
        """A PUBACK, for a message that is not counted as in flight any more."""
        if code in ACCEPTED:
            self._accepted(entry, code)
        elif code in ABOUT_THE_MESSAGE:
            if code == PACKET_TOO_LARGE:
                self._lessons.sizes.refused(len(entry.payload))
            self._outbox.refuse(entry, words(code))
        elif not self._given_up(entry, code):
            self._hold(entry, code)
        hold = self._holds[entry.is_data]
        if hold.due:
            self._release(hold)

    def fold(self, entry: Entry) -> None:
        """An event that may not be published: the status tells it, and the dead letters keep it."""
        try:
            self._board.folded_events.append(json.loads(entry.payload))
        except ValueError:
            log.warning("event can not be told in the status", payload=entry.payload[:200])
        self._outbox.set_aside(entry, "the broker does not take events")

    def stop(self) -> None:
        """The connection is over."""
        for hold in self._holds.values():
            if hold.timer is not None:
                hold.timer.cancel()

    def _accepted(self, entry: Entry, code: int) -> None:
        lessons = self._lessons
        self._outbox.acknowledge(entry)
        lessons.caution.acknowledged(entry)
        lessons.sizes.taken(len(entry.payload))
        if entry.is_data:
            lessons.audience.acknowledged(code)
        elif entry.topic == self._events_topic:
            lessons.optional.accepted(Topic.EVENTS)
        self._welcome(entry.is_data)

    def _given_up(self, entry: Entry, code: int) -> bool:
        """Whether it was an event, and events were refused once too often."""
        if entry.topic != self._events_topic:
            return False
        self._lessons.optional.refused(Topic.EVENTS, words(code))
        if not self._lessons.optional.suspended(Topic.EVENTS):
            return False
        self.fold(entry)
        self._welcome(is_data=False)
        return True

    def _hold(self, entry: Entry, code: int) -> None:
        refusing = self._lessons.caution.refusing
        if not refusing:
            log.error("the broker refuses messages", topic=entry.topic, reason=words(code))
        refusing.add(entry.is_data)
        detail = f"the broker takes nothing on {entry.topic}: {words(code)}; messages are kept"
        self._board.raise_condition("broker_refuses", detail)
        self._holds[entry.is_data].begin(asyncio.get_running_loop())

    def _release(self, hold: Hold) -> None:
        """Try again with what was refused, in order: so not before the answers to what followed it are in."""
        if self._in_flight(hold.is_data):
            return
        hold.end()
        self._outbox.rewind(data=hold.is_data, letters=not hold.is_data)
        self._wake()

    def _welcome(self, is_data: bool) -> None:
        refusing = self._lessons.caution.refusing
        if is_data not in refusing:
            return
        refusing.discard(is_data)
        self._holds[is_data].backoff.reset()
        if not refusing:
            log.info("the broker takes messages again")
            self._board.clear_condition("broker_refuses")
