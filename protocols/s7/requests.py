"""Turns the places of tags into read requests: ranges merged, packed up to twenty to a message."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from protocols.base import Lessons
from protocols.coalesce import Block, Span, coalesce
from protocols.codec import BlockDecoder
from protocols.s7.addresses import NUMBERED, Area
from protocols.s7.connection import S7Connection
from protocols.s7.frames import Item, read_parameters
from protocols.s7.points import S7Point

MOST_ITEMS = 20
"""What S7 CPUs take in one message."""

_ASKING, _ASKING_ITEM = 12, 12  # header and function of a question; each item of it
_ANSWERING, _ANSWERING_ITEM = 14, 4  # header and function of an answer; what goes before the data of each item
_WORD = 2


@dataclass(frozen=True, slots=True)
class Part:
    """An item of a request and the tags in it."""

    item: Item
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One question. Each of its items comes with the position of the part that it is, or is a piece of."""

    pieces: tuple[tuple[int, Item], ...]
    parameters: bytes


@dataclass(frozen=True, slots=True)
class S7Request:
    """One read: what is asked for, in messages for a PDU of `pdu` bytes, and for whom.

    It is one message, but for a single text or array that is larger than any. `decoder` takes the data of all
    parts, one after the other.
    """

    tags: tuple[int, ...]
    where: str
    asked: str
    timeout_s: float
    pdu: int
    parts: tuple[Part, ...]
    messages: tuple[Message, ...]
    decoder: BlockDecoder = field(compare=False, repr=False)

    @property
    def subject(self) -> str:
        """For messages: ``DB1.DBB0-461 and 2 more of rack 0 slot 1``."""
        return f"{self.asked} of {self.where.partition(' ')[2]}"

    def messages_for(self, pdu: int) -> tuple[Message, ...]:
        """The messages that ask the same of a CPU that grants this PDU."""
        return self.messages if pdu >= self.pdu else pack([part.item for part in self.parts], pdu)


def plan_requests(connection: S7Connection, points: Sequence[S7Point], lessons: Lessons) -> tuple[S7Request, ...]:
    """Few requests that read all points but those to avoid. Small scattered ranges share a message."""
    most = payload(connection.pdu)
    small: list[Part] = []
    large: list[Part] = []
    for (area, db), spans in _by_area(points).items():
        width = _WORD if area in NUMBERED else 1
        fitting = [span for span in spans if span.size * width <= most]
        gap = max(0, most // MOST_ITEMS - _WORD) // width
        blocks = coalesce(fitting, max_size=most // width, max_gap=gap, lessons=lessons)
        small += [_part(area, db, block) for block in blocks]
        large += [
            Part(Item(area, db, span.start, span.size), (span.tag,))
            for span in spans
            if span.size * width > most and span.tag not in lessons.avoid
        ]
    messages = pack([part.item for part in small], connection.pdu)
    shared = [[small[position] for position, _ in message.pieces] for message in messages]
    return tuple(_request(connection, parts, points) for parts in [*shared, *([part] for part in large)])


def payload(pdu: int) -> int:
    """The most bytes of one range that an answer of at most `pdu` bytes holds, even as all messages are best."""
    return pdu - _ANSWERING - _ANSWERING_ITEM & ~1


def pack(items: Iterable[Item], pdu: int) -> tuple[Message, ...]:
    """Messages that ask for all of these, each within `pdu` both ways; an item larger than that is cut.

    First fit, the largest first: in practice that is as few messages as there can be.
    """
    pieces = [(position, piece) for position, item in enumerate(items) for piece in _cut(item, payload(pdu))]
    room = pdu - _ANSWERING
    most_items = min(MOST_ITEMS, (pdu - _ASKING) // _ASKING_ITEM)
    bins: list[list[tuple[int, Item]]] = []
    rooms: list[int] = []
    for numbered in sorted(pieces, key=lambda numbered: -numbered[1].byte_count):
        size = _ANSWERING_ITEM + (numbered[1].byte_count + 1 & ~1)
        fit = next((i for i, left in enumerate(rooms) if size <= left and len(bins[i]) < most_items), len(bins))
        if fit == len(bins):
            bins.append([])
            rooms.append(room)
        bins[fit].append(numbered)
        rooms[fit] -= size
    return tuple(_message(sorted(pieces, key=_by_place)) for pieces in bins)


def _message(pieces: Sequence[tuple[int, Item]]) -> Message:
    return Message(tuple(pieces), read_parameters([item for _, item in pieces]))


def _by_place(numbered: tuple[int, Item]) -> tuple[int, int]:
    return numbered[0], numbered[1].start


def _cut(item: Item, most: int) -> Iterable[Item]:
    if item.byte_count <= most:
        return (item,)
    step = most // (item.byte_count // item.size)
    return (
        Item(item.area, item.db, start, min(step, item.start + item.size - start))
        for start in range(item.start, item.start + item.size, step)
    )


def _by_area(points: Sequence[S7Point]) -> dict[tuple[Area, int], list[Span]]:
    spans: defaultdict[tuple[Area, int], list[Span]] = defaultdict(list)
    for tag, point in enumerate(points):
        spans[point.area, point.db].append(Span(tag, point.start, point.size))
    return dict(sorted(spans.items(), key=lambda areas: (areas[0][0] is not Area.DB, areas[0])))


def _part(area: Area, db: int, block: Block) -> Part:
    return Part(Item(area, db, block.start, block.size), block.tags)


def _request(connection: S7Connection, parts: Sequence[Part], points: Sequence[S7Point]) -> S7Request:
    fields, at = [], 0
    for part in parts:
        width = _WORD if part.item.area in NUMBERED else 1
        fields += [points[tag].field(tag, at + width * (points[tag].start - part.item.start)) for tag in part.tags]
        at += part.item.byte_count
    more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
    return S7Request(
        tags=tuple(tag for part in parts for tag in part.tags),
        where=connection.where,
        asked=f"{parts[0].item.name}{more}",
        timeout_s=connection.timeout_s,
        pdu=connection.pdu,
        parts=tuple(parts),
        messages=pack([part.item for part in parts], connection.pdu),
        decoder=BlockDecoder(fields),
    )
