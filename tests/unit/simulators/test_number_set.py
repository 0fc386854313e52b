from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from simulators.number_set import NumberSet

numbers = st.integers(1, 40)


@given(st.lists(numbers))
def test_it_agrees_with_a_set(added: list[int]) -> None:
    subject, model = NumberSet(), set[int]()
    for number in added:
        assert subject.add(number) == (number not in model)
        model.add(number)
    assert len(subject) == len(model)
    assert [number for number in range(42) if number in subject] == sorted(model)
    assert (subject.first, subject.last) == ((min(model), max(model)) if model else (None, None))


@given(st.lists(st.tuples(numbers, st.integers(0, 6))), numbers, st.integers(0, 50))
def test_ranges_merge_and_holes_are_the_rest(added: list[tuple[int, int]], first: int, size: int) -> None:
    subject, model = NumberSet(), set[int]()
    for start, more in added:
        subject.add_range(start, start + more)
        model |= set(range(start, start + more + 1))
    missing = {number for start, end in subject.holes(first, first + size) for number in range(start, end + 1)}
    assert missing == set(range(first, first + size + 1)) - model
    ranges = subject.ranges()
    assert all(end + 1 < start for (_, end), (start, _) in pairwise(ranges))


def test_numbers_in_order_are_one_range() -> None:
    subject = NumberSet()
    for number in range(1, 100_001):
        subject.add(number)
    assert subject.ranges() == [(1, 100_000)]
