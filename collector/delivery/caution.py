"""What the connections so far have taught: how much to have in flight, and which message may be poison."""

from collections.abc import Sequence

from collector.delivery.message import Entry
from collector.delivery.mqtt.connection import Lost
from collector.delivery.mqtt.reasons import BLAMES_A_PACKET

WINDOW = 64
_STALLS_TO_TELL = 3
_LOSSES_TO_SUSPECT = 3


class Caution:
    """Outlives the connections of one publisher."""

    def __init__(self) -> None:
        self.window = WINDOW
        self.stalls = 0
        self.refusing: set[bool] = set()
        """The queues (data: True, letters: False) that the broker refuses about the account."""
        self._suspect: tuple[object, ...] | None = None
        self._alone = False
        self._losses = 0
        self._fruitless = 0
        self._largest_taken = 0

    @property
    def stalled(self) -> bool:
        """Whether the broker has left too many windows without a PUBACK."""
        return self.stalls >= _STALLS_TO_TELL

    @property
    def suspects(self) -> bool:
        """Whether connections end again and again without having taken anything they were sent."""
        return self._fruitless > 1

    def on_trial(self, entry: Entry) -> bool:
        """Whether this one is to be left out until another shows that it is not the account the broker closes on."""
        return self._alone and self._losses > 2 * _LOSSES_TO_SUSPECT and self._suspect == _key(entry)

    def convicted(self) -> None:
        """Another message passed: the one on trial is to blame."""
        self._forget()

    def pardon(self) -> None:
        """It was something else that the broker closed on."""
        self.window, self._fruitless = WINDOW, 0
        self._forget()

    def acknowledged(self, entry: Entry) -> None:
        """The broker took a message: trust grows."""
        self.stalls = self._fruitless = 0
        self.window = min(self.window + 1, WINDOW)
        self._largest_taken = max(self._largest_taken, len(entry.payload))
        if self._suspect is not None and self._suspect == _key(entry):
            self._forget()

    def stall(self) -> None:
        """A window went without any PUBACK: the next one is half as large."""
        self.stalls += 1
        self.window = max(1, self.window // 2)

    def lost(self, in_flight: Sequence[Entry], lost: Lost) -> Entry | None:
        """The broker ended a connection with these in flight; returns the message that is to blame for certain.

        Certain is one that was in flight alone when the broker named a packet as the reason, or answered what
        cannot be understood; or one that is larger than all it ever took, when it closes again and again. Any other
        that it closes on again and again is put `on_trial`.
        """
        if not in_flight:
            return None
        head = in_flight[0]
        self._fruitless += 1
        blamed = lost.malformed or lost.code in BLAMES_A_PACKET
        if self._suspect != _key(head):
            self._suspect, self._alone, self._losses = _key(head), False, 0
        self._losses += 1
        if self._alone and len(in_flight) == 1 and (blamed or self._too_often(head)):
            self._forget()
            return head
        if blamed or self._losses >= _LOSSES_TO_SUSPECT:
            self._alone, self.window = True, 1
        return None

    def _forget(self) -> None:
        self._suspect, self._alone, self._losses = None, False, 0

    def _too_often(self, head: Entry) -> bool:
        # While the broker has taken nothing yet, it may be the account that it closes on, not a message.
        return self._losses > 2 * _LOSSES_TO_SUSPECT and len(head.payload) > self._largest_taken > 0


def _key(entry: Entry) -> tuple[object, ...]:
    """What stays the same over a rewind, and over memory and disk."""
    return (entry.epoch, entry.seq) if entry.is_data else (entry.topic, entry.payload)
