"""What is on its way to the broker and has no PUBACK yet."""

from collections.abc import Iterator
from dataclasses import dataclass

from collector.delivery.message import Entry

WINDOW_BYTES = 1 << 20
STATUS = Entry("", b"", 0, 0.0)
"""Stands for a status, which is no entry of the outbox and counts no bytes."""


@dataclass(frozen=True, slots=True)
class Flight:
    """One message. `backlog`: it had waited on disk for its turn."""

    entry: Entry
    sent_at: float
    backlog: bool = False


class Window:
    """The flights of one connection by packet id, in the order they were sent."""

    def __init__(self) -> None:
        self.backlog = 0
        """How many of them had waited on disk."""
        self._flights: dict[int, Flight] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._flights)

    def has_room(self, messages: int) -> bool:
        """Whether one more may go, where so many are allowed."""
        return len(self._flights) < messages and self._bytes < WINDOW_BYTES

    def add(self, packet_id: int, flight: Flight) -> None:
        """A message was sent."""
        self._flights[packet_id] = flight
        self._bytes += len(flight.entry.payload)
        self.backlog += flight.backlog

    def answered(self, packet_id: int) -> Flight | None:
        """The flight that a PUBACK ends; None if it is none of ours."""
        flight = self._flights.pop(packet_id, None)
        if flight is not None:
            self._bytes -= len(flight.entry.payload)
            self.backlog -= flight.backlog
        return flight

    @property
    def entries(self) -> Iterator[Entry]:
        """All but a status."""
        return (flight.entry for flight in self._flights.values() if flight.entry is not STATUS)

    def any(self, is_data: bool) -> bool:
        """Whether data, or letters, are among them."""
        return any(entry.is_data is is_data for entry in self.entries)

    @property
    def oldest(self) -> Flight | None:
        """The one that has waited longest for its PUBACK."""
        return next(iter(self._flights.values()), None)
