"""What passes between the collector and its broker, in MQTT's own terms."""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.judge.records import Id

_PUBLISH, _PUBACK = 3, 4
_IDENTITY = re.compile(rb'"sample":(\d+).*"meta":\{"epoch":"(\w+)","seq":(\d+)')


@dataclass(slots=True)
class _Connection:
    up: bytearray = field(default_factory=bytearray)
    down: bytearray = field(default_factory=bytearray)
    in_flight: dict[int, tuple[Id, int]] = field(default_factory=dict)
    sent: set[Id] = field(default_factory=set)


class Tap:
    """The two filters of a proxy. `acknowledged`: sample by id, for each PUBACK that the broker gave.

    `repeated` counts what was sent twice on one connection. No PUBACK comes through on the connections up to
    number `swallows_pubacks_up_to`, and what the broker took is noted all the same.
    """

    def __init__(self) -> None:
        self.acknowledged: dict[Id, int] = {}
        self.repeated = 0
        self.swallows_pubacks_up_to = 0
        self._connections: defaultdict[int, _Connection] = defaultdict(_Connection)

    def upward(self, number: int, data: bytes) -> bytes:
        """Notes what is published, and lets it pass."""
        connection = self._connections[number]
        connection.up += data
        for packet in _packets(connection.up):
            if packet[0] >> 4 == _PUBLISH and packet[0] & 0x06:
                self._note(connection, packet)
        return data

    def downward(self, number: int, data: bytes) -> bytes:
        """Lets whole packets pass, but no PUBACK while it swallows them."""
        connection = self._connections[number]
        connection.down += data
        passed = bytearray()
        for packet in _packets(connection.down):
            if packet[0] >> 4 == _PUBACK:
                self._settle(connection, packet)
                if number <= self.swallows_pubacks_up_to:
                    continue
            passed += packet
        return bytes(passed)

    def _note(self, connection: _Connection, packet: bytes) -> None:
        found = _IDENTITY.search(packet)
        if found is None:
            return
        body = _header_size(packet)
        after_topic = body + 2 + int.from_bytes(packet[body : body + 2])
        packet_id = int.from_bytes(packet[after_topic : after_topic + 2])
        name = Id.of(found[2].decode(), int(found[3]))
        self.repeated += name in connection.sent
        connection.sent.add(name)
        connection.in_flight[packet_id] = name, int(found[1])

    def _settle(self, connection: _Connection, packet: bytes) -> None:
        body = _header_size(packet)
        reason = packet[body + 2] if len(packet) > body + 2 else 0
        settled = connection.in_flight.pop(int.from_bytes(packet[body : body + 2]), None)
        if settled is not None and reason < 0x80:
            name, sample = settled
            self.acknowledged[name] = sample


def _packets(stream: bytearray) -> Iterator[bytes]:
    """Takes the whole packets off the front of a stream."""
    while len(stream) >= 2:
        head = _header_size(stream)
        if stream[head - 1] & 0x80:
            return  # the length itself is not all there
        size = head + sum((byte & 0x7F) << 7 * place for place, byte in enumerate(stream[1:head]))
        if len(stream) < size:
            return
        yield bytes(stream[:size])
        del stream[:size]


def _header_size(packet: bytes | bytearray) -> int:
    at = 1
    while at < min(4, len(packet) - 1) and packet[at] & 0x80:
        at += 1
    return at + 1
