"""What a further way out has to be able to do, and how it says that it can not."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from collector.delivery.message import Entry

Settle = Callable[[Entry, str | None], None]
"""Says that a message was taken (None), or why it never will be."""


class Away(Exception):
    """Nothing can be delivered now; says why. The server wants to be left alone for `leave_alone_s`."""

    def __init__(self, why: str, leave_alone_s: float = 0.0) -> None:
        super().__init__(why)
        self.leave_alone_s = leave_alone_s


class LettersUnwanted(Exception):
    """Data was taken, but events or host figures were not; says why."""


class Destination(Protocol):
    """One further way out. Belongs to the loop.

    A server that leaves one request unanswered for half a minute is `Away`. One that refuses parts of a batch is asked
    as often as it takes to find which, however slowly it refuses: `deliver` has no limit of its own.
    """

    async def open(self) -> None:
        """Be ready to deliver. Raises `Away`."""

    async def deliver(self, batch: Sequence[Entry], settle: Settle) -> None:
        """Hand over messages, in order within each topic. What is not settled is delivered again.

        Raises `Away`, `LettersUnwanted`.
        """

    async def close(self) -> None:
        """Let go of everything, as after an `Away`; raises nothing."""


def edge_and_kind(topic: str) -> tuple[str, str]:
    """Of `vexplor/devices/{edgeId}/{kind}`."""
    _, edge_id, kind = topic.rsplit("/", 2)
    return edge_id, kind


def by_topic(batch: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The messages of each topic, in their order."""
    topics: dict[str, list[Entry]] = {}
    for entry in batch:
        topics.setdefault(entry.topic, []).append(entry)
    return topics
