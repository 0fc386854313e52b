"""How large a message the broker takes."""

from collector.clock import Clock
from collector.delivery.encode import MAX_PAYLOAD_BYTES
from collector.delivery.message import Message

_OVERHEAD_BYTES = 16
_MARK_BYTES = len(b',"buffered":true')
_LEAST_BYTES = 256
_REMEMBERED_S = 600.0


class Sizes:
    """What the broker says (MQTT 5), and what its refusals teach. Sizes are payload bytes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._packet: int | None = None
        self._split_at = MAX_PAYLOAD_BYTES
        self._taken = 0
        self._refused: int | None = None
        self._refused_at = 0.0

    def announced(self, maximum_packet_size: int | None) -> None:
        """A CONNACK came, with the broker's Maximum Packet Size if it has one."""
        self._packet = maximum_packet_size

    def taken(self, size: int) -> None:
        """The broker took a message."""
        self._taken = max(self._taken, size)
        if self._refused is not None and size >= self._refused:
            self._refused, self._split_at = None, MAX_PAYLOAD_BYTES

    def refused(self, size: int) -> None:
        """The broker refused a message as too large; believed of one that is larger than all it ever took."""
        if size > self._taken > 0:
            self._refused = size if self._refused is None else min(size, self._refused)
            self._refused_at = self._clock.monotonic()
            self._split_at = max(min(self._split_at, size // 2), min(self._taken, MAX_PAYLOAD_BYTES), _LEAST_BYTES)

    def body_bytes(self, topic: str) -> int:
        """How large a new message's payload may be."""
        room = self._split_at if self._packet is None else min(self._split_at, self._packet)
        if room == self._packet:
            room -= len(topic.encode()) + _OVERHEAD_BYTES + _MARK_BYTES
        return max(room, _LEAST_BYTES)

    def over_announced(self, message: Message) -> bool:
        """Whether the broker has said that it does not take a message so large."""
        size = len(message.payload) + len(message.topic.encode()) + _OVERHEAD_BYTES
        return self._packet is not None and size > self._packet

    def objection(self, topic: str, payload: bytes) -> str | None:
        """Why a message is not even worth sending. What only a refusal taught is tried anew from time to time."""
        size = len(payload) + len(topic.encode()) + _OVERHEAD_BYTES
        if self._packet is not None and size > self._packet:
            return f"{size} bytes, and the broker takes at most {self._packet}"
        lately = self._clock.monotonic() - self._refused_at < _REMEMBERED_S
        if self._refused is not None and lately and len(payload) >= self._refused:
            return f"{len(payload)} bytes, and the broker refused one of {self._refused} as too large"
        return None
