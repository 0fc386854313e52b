"""Packs the places of many tags into as few block reads as possible."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from protocols.base import NO_LESSONS, Lessons


@dataclass(frozen=True, slots=True)
class Span:
    """The addresses of one tag within one area: `size` of them from `start`. `tag` is the tag's position."""

    tag: int
    start: int
    size: int

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class Block:
    """One read of `size` addresses from `start`, and the tags it holds in order of address."""

    start: int
    size: int
    tags: tuple[int, ...]


def coalesce(spans: Sequence[Span], *, max_size: int, max_gap: int, lessons: Lessons = NO_LESSONS) -> tuple[Block, ...]:
    """The fewest blocks of at most `max_size` addresses that hold every span but those to avoid.

    A block bridges at most `max_gap` unwanted addresses in a row, never an avoided one, and never holds a tag
    of `lessons.breaks` with one that comes before it. A wanted span that overlaps an avoided one gets a block
    of its own, for the device may well refuse the one and grant the other. No span is larger than `max_size`.

    Filling each block from the lowest address on is optimal: a block begun later never reaches less far.
    """
    ordered = sorted(spans, key=lambda span: (span.start, span.end, span.tag))
    avoided = [span for span in ordered if span.tag in lessons.avoid]
    touches_avoided = _overlap_test(avoided)
    alone, together = list[Span](), list[Span]()
    for span in ordered:
        if span.tag not in lessons.avoid:
            (alone if touches_avoided(span.start, span.end) else together).append(span)

    blocks = [Block(span.start, span.size, (span.tag,)) for span in alone]
    run: list[Span] = []
    end = 0
    for span in together:
        fits = (
            run
            and span.tag not in lessons.breaks
            and max(end, span.end) - run[0].start <= max_size
            and span.start - end <= max_gap
            and not touches_avoided(end, span.start)
        )
        if not fits:
            blocks += _block(run, end)
            run, end = [], 0
        run.append(span)
        end = max(end, span.end)
    blocks += _block(run, end)
    return tuple(sorted(blocks, key=lambda block: block.start))


def _block(run: Sequence[Span], end: int) -> list[Block]:
    if not run:
        return []
    start = run[0].start
    return [Block(start, end - start, tuple(span.tag for span in run))]


def _overlap_test(spans: Sequence[Span]) -> Callable[[int, int], bool]:
    """Tells whether any address from `start` to before `end` is of one of the spans, given by their start."""
    starts: list[int] = []
    ends: list[int] = []
    for span in spans:
        if ends and span.start <= ends[-1]:
            ends[-1] = max(ends[-1], span.end)
        else:
            starts.append(span.start)
            ends.append(span.end)

    def overlaps(start: int, end: int) -> bool:
        last = bisect_right(starts, end - 1) - 1
        return start < end and last >= 0 and ends[last] > start

    return overlaps
