import time
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.base import Lessons
from protocols.coalesce import Span, coalesce


def spans(*places: tuple[int, int]) -> list[Span]:
    return [Span(tag, start, size) for tag, (start, size) in enumerate(places)]


def test_a_thousand_registers_in_a_row_are_eight_requests() -> None:
    blocks = coalesce(spans(*((i, 1) for i in range(1000))), max_size=125, max_gap=32)
    assert [(block.start, block.size) for block in blocks] == [(i * 125, 125) for i in range(8)]


def test_a_tag_is_never_cut_in_two() -> None:
    blocks = coalesce(spans((0, 1), *((1 + 4 * i, 4) for i in range(40))), max_size=125, max_gap=0)
    assert [(block.start, block.size) for block in blocks] == [(0, 125), (125, 36)]


def test_a_gap_is_bridged_up_to_its_limit() -> None:
    places = spans((0, 1), (11, 1))
    assert [block.size for block in coalesce(places, max_size=125, max_gap=10)] == [12]
    assert [block.size for block in coalesce(places, max_size=125, max_gap=9)] == [1, 1]


def test_lessons() -> None:
    places = spans((0, 2), (2, 2), (4, 2), (6, 2))
    avoiding = coalesce(places, max_size=125, max_gap=32, lessons=Lessons(avoid=frozenset({1})))
    assert [(block.start, block.size, block.tags) for block in avoiding] == [(0, 2, (0,)), (4, 4, (2, 3))]
    breaking = coalesce(places, max_size=125, max_gap=32, lessons=Lessons(breaks=frozenset({2})))
    assert [(block.start, block.size, block.tags) for block in breaking] == [(0, 4, (0, 1)), (4, 4, (2, 3))]


def test_a_tag_that_shares_an_address_with_an_avoided_one_is_asked_for_alone() -> None:
    places = spans((0, 1), (1, 2), (2, 1), (3, 1))
    blocks = coalesce(places, max_size=125, max_gap=32, lessons=Lessons(avoid=frozenset({2})))
    assert [block.tags for block in blocks] == [(0,), (1,), (3,)]


def test_ten_thousand_tags_take_no_time() -> None:
    places = spans(*(((i * 7919) % 65_000, 1 + i % 4) for i in range(10_000)))
    began = time.process_time()
    coalesce(places, max_size=125, max_gap=32, lessons=Lessons(avoid=frozenset(range(0, 10_000, 50))))
    assert time.process_time() - began < 0.5


LIMIT = 8
places = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 5)), max_size=9)
tags = st.frozensets(st.integers(0, 8), max_size=3)


@settings(max_examples=400)
@given(places, st.integers(0, 6), tags, tags)
def test_every_tag_in_one_sound_block_and_no_fewer_blocks_possible(
    placed: list[tuple[int, int]], gap: int, avoid: frozenset[int], breaks: frozenset[int]
) -> None:
    all_spans = spans(*placed)
    blocks = coalesce(all_spans, max_size=LIMIT, max_gap=gap, lessons=Lessons(avoid, breaks))
    wanted = [span for span in all_spans if span.tag not in avoid]
    assert sorted(tag for block in blocks for tag in block.tags) == [span.tag for span in wanted]

    forbidden = {a for span in all_spans if span.tag in avoid for a in range(span.start, span.end)}
    clean = [span for span in wanted if forbidden.isdisjoint(range(span.start, span.end))]
    for block in blocks:
        members = [all_spans[tag] for tag in block.tags]
        assert block.size <= LIMIT
        assert all(block.start <= span.start and span.end <= block.start + block.size for span in members)
        if members[0] in clean:
            assert is_sound(members, gap, forbidden, breaks)
            assert block.start + block.size == max(span.end for span in members)
        else:
            assert len(members) == 1
    ordered = tuple(sorted(clean, key=lambda span: (span.start, span.end, span.tag)))
    assert len(blocks) - (len(wanted) - len(clean)) == fewest(ordered, gap, frozenset(forbidden), breaks)


def is_sound(members: list[Span], gap: int, forbidden: set[int] | frozenset[int], breaks: frozenset[int]) -> bool:
    start, end = members[0].start, max(span.end for span in members)
    touched = {a for span in members for a in range(span.start, span.end)}
    longest = run = 0
    for address in range(start, end):
        run = 0 if address in touched else run + 1
        longest = max(longest, run)
    untouchable = any(address in forbidden for address in range(start, end))
    broken = any(span.tag in breaks for span in members[1:])
    return end - start <= LIMIT and longest <= gap and not untouchable and not broken


def fewest(ordered: tuple[Span, ...], gap: int, forbidden: frozenset[int], breaks: frozenset[int]) -> int:
    """Every way to part the tags in order of address is tried."""

    @cache
    def from_tag(first: int) -> int:
        if first == len(ordered):
            return 0
        return min(
            1 + from_tag(after)
            for after in range(first + 1, len(ordered) + 1)
            if is_sound(list(ordered[first:after]), gap, forbidden, breaks)
        )

    return from_tag(0)
