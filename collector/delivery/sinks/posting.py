"""One batch by POST, and which of its messages is to blame where a body is refused. Knows no HTTP library."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from collector.delivery.message import Entry
from collector.delivery.sinks.destination import Away, LettersUnwanted, Settle, by_topic, edge_and_kind

FIGURES = "log"
"""The kind of the host figures: worth nothing to a server that has no place for them."""
_SUSPECTS = 8
_LEAST_BYTES = 1024


class Verdict(Enum):
    """What an answer means for the messages of the body."""

    TAKEN = auto()
    TOO_LARGE = auto()
    BAD_BODY = auto()
    UNWANTED = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict, and what the server said."""

    verdict: Verdict
    said: str


Post = Callable[[str, bytes], Awaitable[Answer]]
"""Sends a body to the path of a kind. Raises `Away`."""


@dataclass(slots=True)
class Room:
    """How large a body may be; learnt from refusals."""

    bytes: int


class _PathRefuses(Exception):
    """It is not a matter of single messages; says why."""


class Posting:
    """Delivers one batch.

    A body that is refused is halved until it is known which message is to blame. That one is refused if another passes
    at the same path in the same batch: a server that takes nothing has to be mended, and costs no message.
    """

    def __init__(self, post: Post, settle: Settle, room: Room) -> None:
        self._post = post
        self._settle = settle
        self._room = room
        self._passed: set[str] = set()
        self._suspects: list[tuple[Entry, str]] = []

    async def deliver(self, batch: Sequence[Entry]) -> None:
        """Raises `Away`, `LettersUnwanted`."""
        troubles: dict[str, str] = {}
        for topic, entries in by_topic(batch).items():
            kind = edge_and_kind(topic)[1]
            try:
                await self._deliver(kind, entries)
                self._doubt_the_path()
            except _PathRefuses as refusal:
                self._suspects.clear()
                troubles[kind] = str(refusal)
        if self._passed and FIGURES in troubles:
            del troubles[FIGURES]
            for entry in batch:
                if edge_and_kind(entry.topic)[1] == FIGURES:
                    self._settle(entry, None)  # nobody wants them, and nobody will miss them
        if troubles:
            why = next(iter(troubles.values()))
            raise LettersUnwanted(why) if "data" in self._passed and "data" not in troubles else Away(why)

    async def _deliver(self, kind: str, entries: Sequence[Entry]) -> None:
        body = body_of(entries)
        if len(body) > self._room.bytes and len(entries) > 1:
            await self._halves(kind, entries)
            return
        answer = await self._post(kind, body)
        match answer.verdict:
            case Verdict.TAKEN:
                self._passed.add(kind)
                for entry in entries:
                    self._settle(entry, None)
                self._convict()
            case Verdict.UNWANTED:
                raise _PathRefuses(answer.said)
            case _ if len(entries) == 1:
                self._suspect(kind, entries[0], answer.said)
            case Verdict.TOO_LARGE:
                self._room.bytes = max(_LEAST_BYTES, min(self._room.bytes, len(body)) // 2)
                await self._halves(kind, entries)
            case Verdict.BAD_BODY:
                # The youngest first: if it passes, the server is well, however many of the oldest are spoilt.
                await self._deliver(kind, entries[-1:])
                await self._halves(kind, entries[:-1])

    async def _halves(self, kind: str, entries: Sequence[Entry]) -> None:
        middle = len(entries) // 2
        for half in (entries[:middle], entries[middle:]):
            if half:
                await self._deliver(kind, half)

    def _suspect(self, kind: str, entry: Entry, said: str) -> None:
        self._suspects.append((entry, said))
        if kind in self._passed:
            self._convict()
        elif len(self._suspects) >= _SUSPECTS:
            self._doubt_the_path()

    def _convict(self) -> None:
        """The path takes messages: at once, so that what was found is not sought again when the server goes away."""
        suspects, self._suspects = self._suspects, []
        for entry, said in suspects:
            self._settle(entry, said)

    def _doubt_the_path(self) -> None:
        """Raise `_PathRefuses` if there are suspects, and nothing else speaks for the path."""
        if self._suspects:
            raise _PathRefuses(self._suspects[0][1])


def body_of(entries: Sequence[Entry]) -> bytes:
    """A JSON array of what the broker gets, each with the `edge_id` that the topic names there."""
    objects = (b'{"edge_id":"' + edge_and_kind(each.topic)[0].encode() + b'",' + each.payload[1:] for each in entries)
    return b"[" + b",".join(objects) + b"]"
