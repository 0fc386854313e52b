"""Turns the places of tags into read requests: blocks of bytes, or single words where those are cheaper."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate

from protocols.base import Lessons
from protocols.coalesce import Block, Span, coalesce
from protocols.codec import BlockDecoder
from protocols.xgt.addresses import DEVICES, block_name, contact_name, range_name, word_name
from protocols.xgt.connection import XgtConnection
from protocols.xgt.frames import MAX_ITEMS, Kind, Question, read_block, read_items
from protocols.xgt.points import XgtPoint

# In bytes on the wire. A PLC serves a request between two scans, so each costs more than the largest block.
_COST_OF_REQUEST = 3000
_COST_OF_ITEM = 14  # "%DW100" with its length, a word with its length


@dataclass(frozen=True, slots=True)
class XgtRequest:
    """One question: what is sent, what may come back, and for whom.

    `asked` names the addresses, `where` the PLC. A block that not every PLC grants has a substitute, the `smaller`
    requests for the same tags.
    """

    tags: tuple[int, ...]
    where: str
    asked: str
    cpu: int
    question: Question
    timeout_s: float
    one_device: bool
    decoder: BlockDecoder = field(compare=False, repr=False)
    smaller: tuple["XgtRequest", ...] = ()

    @property
    def subject(self) -> str:
        """For messages: ``%DW100-%DW224``."""
        return self.asked


@dataclass(frozen=True, slots=True)
class _Run:
    """A block of one device, in words, and which of them are wanted, counted until there are more than `MAX_ITEMS`."""

    device: str
    block: Block
    wanted: frozenset[int]

    @property
    def few(self) -> bool:
        return len(self.wanted) <= MAX_ITEMS


def plan_requests(connection: XgtConnection, points: Sequence[XgtPoint], lessons: Lessons) -> tuple[XgtRequest, ...]:
    """The fewest requests that read all points but those to avoid, and of as few the shortest."""
    runs = _runs(connection, points, lessons)
    kept, scattered = _cheapest(runs)
    picked = _picked(scattered, points, lessons)
    if len(picked) > len(scattered):
        kept, picked = runs, []
    blocks = [_block_request(connection, run.device, run.block, points, lessons) for run in kept]
    items = [_items_request(connection, tags, points) for tags in picked]
    contacts = [_contacts_request(connection, tags, points) for tags in _contacts(points, lessons)]
    return (*blocks, *items, *contacts)


def _runs(connection: XgtConnection, points: Sequence[XgtPoint], lessons: Lessons) -> list[_Run]:
    """Gaps are bridged however wide: a device has no holes, and its words cost less than another request."""
    spans: dict[str, list[Span]] = {device: [] for device in DEVICES}
    for tag, point in enumerate(points):
        if not point.contact:
            spans[point.device].append(Span(tag, point.first_word, point.words))
    most = connection.most_bytes // 2
    return [
        _Run(device, block, _wanted(block, points))
        for device in DEVICES
        for block in coalesce(spans[device], max_size=most, max_gap=most, lessons=lessons)
    ]


def _wanted(block: Block, points: Sequence[XgtPoint]) -> frozenset[int]:
    words: set[int] = set()
    for tag in block.tags:
        words.update(range(points[tag].first_word, points[tag].first_word + points[tag].words))
        if len(words) > MAX_ITEMS:
            break
    return frozenset(words)


def _cheapest(runs: Sequence[_Run]) -> tuple[list[_Run], list[_Run]]:
    """The runs to read as blocks, and those whose words are named one by one: the more the fewer words they want."""
    few = sorted((run for run in runs if run.few), key=lambda run: len(run.wanted))
    items = list(accumulate((len(run.wanted) for run in few), initial=0))
    sizes = list(accumulate((2 * run.block.size + _COST_OF_REQUEST for run in reversed(few)), initial=0))[::-1]
    costs = [
        -(-count // MAX_ITEMS) * _COST_OF_REQUEST + count * _COST_OF_ITEM + size
        for count, size in zip(items, sizes, strict=True)
    ]
    named = set(map(id, few[: costs.index(min(costs))]))
    return [run for run in runs if id(run) not in named], [run for run in runs if id(run) in named]


def _picked(runs: Sequence[_Run], points: Sequence[XgtPoint], lessons: Lessons) -> list[list[int]]:
    """The tags of individual requests: a tag's words all in one, so that they are of one moment."""
    requests: list[list[int]] = []
    words: set[tuple[str, int]] = set()
    for tag in (tag for run in runs for tag in run.block.tags):
        more = words.union(_words(points[tag]))
        if not requests or len(more) > MAX_ITEMS or tag in lessons.breaks:
            requests.append([])
            more = set(_words(points[tag]))
        requests[-1].append(tag)
        words = more
    return requests


def _words(point: XgtPoint) -> list[tuple[str, int]]:
    return [(point.device, point.first_word + place) for place in range(point.words)]


def _contacts(points: Sequence[XgtPoint], lessons: Lessons) -> list[list[int]]:
    wanted = (tag for tag, point in enumerate(points) if point.contact and tag not in lessons.avoid)
    requests: list[list[int]] = []
    names: set[tuple[str, int]] = set()
    for tag in sorted(wanted, key=lambda tag: (DEVICES.index(points[tag].device), points[tag].byte)):
        name = (points[tag].device, points[tag].byte)
        if not requests or len(names | {name}) > MAX_ITEMS or tag in lessons.breaks:
            requests.append([])
            names = set()
        requests[-1].append(tag)
        names.add(name)
    return requests


def _block_request(
    connection: XgtConnection, device: str, block: Block, points: Sequence[XgtPoint], lessons: Lessons
) -> XgtRequest:
    request = XgtRequest(
        tags=block.tags,
        where=connection.where,
        asked=range_name(device, block.start, block.size),
        cpu=connection.family.cpu,
        question=read_block(block_name(device, 2 * block.start), 2 * block.size),
        timeout_s=connection.timeout_s,
        one_device=True,
        decoder=BlockDecoder(points[tag].field(tag, 2 * block.start) for tag in block.tags),
    )
    if 2 * block.size <= connection.sure_bytes:
        return request
    spans = [Span(tag, points[tag].first_word, points[tag].words) for tag in block.tags]
    sure = connection.sure_bytes // 2
    parts = coalesce(spans, max_size=sure, max_gap=sure, lessons=lessons)
    return replace(request, smaller=tuple(_block_request(connection, device, part, points, lessons) for part in parts))


def _items_request(connection: XgtConnection, tags: Sequence[int], points: Sequence[XgtPoint]) -> XgtRequest:
    words = list(dict.fromkeys(word for tag in tags for word in _words(points[tag])))
    words.sort(key=lambda word: (DEVICES.index(word[0]), word[1]))
    places = {word: 2 * place for place, word in enumerate(words)}
    fields = (
        # The words of a tag follow each other here as in the device, for nothing can be between them.
        points[tag].field(tag, 2 * points[tag].first_word - places[points[tag].device, points[tag].first_word])
        for tag in tags
    )
    names = [word_name(*word) for word in words]
    return _named(connection, tags, Kind.WORD, names, {device for device, _ in words}, BlockDecoder(fields))


def _contacts_request(connection: XgtConnection, tags: Sequence[int], points: Sequence[XgtPoint]) -> XgtRequest:
    names = list(dict.fromkeys(contact_name(points[tag].device, points[tag].byte) for tag in tags))
    places = {name: place for place, name in enumerate(names)}
    fields = (
        replace(points[tag], byte=places[contact_name(points[tag].device, points[tag].byte)]).field(tag, 0)
        for tag in tags
    )
    devices = {points[tag].device for tag in tags}
    return _named(connection, tags, Kind.BIT, names, devices, BlockDecoder(fields))


def _named(
    connection: XgtConnection,
    tags: Sequence[int],
    kind: Kind,
    names: Sequence[str],
    devices: set[str],
    decoder: BlockDecoder,
) -> XgtRequest:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return XgtRequest(
        tags=tuple(tags),
        where=connection.where,
        asked=", ".join(names[:2]) + more,
        cpu=connection.family.cpu,
        question=read_items(kind, names),
        timeout_s=connection.timeout_s,
        one_device=len(devices) == 1,
        decoder=decoder,
    )
