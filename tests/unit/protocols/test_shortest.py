"""The shortest decimals of singles against a search of our own, in exact fractions."""

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from protocols.shortest import shortest_float32s
from tests.unit.protocols.singles import from_bits, singles

LARGEST = 0x7F7FFFFF
finite_bits = st.integers(1, LARGEST)
magnitudes_from = 0x36000000  # 1.9e-6; to 1.8e16
magnitudes = st.integers(magnitudes_from, 0x5A800000)


def interval(bits: int) -> tuple[Fraction, Fraction]:
    """What rounds to the single with these bits: from the middle to the one below to that to the one above."""
    here = Fraction(from_bits(bits))
    below = Fraction(from_bits(bits - 1))
    above = Fraction(from_bits(bits + 1)) if bits < LARGEST else 2 * here - below
    return (here + below) / 2, (here + above) / 2


def by_search(bits: int) -> set[float]:
    """Try every length, and at each length the decimals on both sides; two may be equally near."""
    here = Fraction(from_bits(bits))
    low, high = interval(bits)
    exponent = math.floor(math.log10(from_bits(bits)))
    for digits in range(1, 10):
        unit = Fraction(10) ** (exponent - digits + 1)
        near = [here // unit * unit, here // unit * unit + unit]
        inside = [each for each in near if low < each < high or (bits % 2 == 0 and each in (low, high))]
        if inside:
            distance = min(abs(each - here) for each in inside)
            return {each.numerator / each.denominator for each in inside if abs(each - here) == distance}
    raise AssertionError("nine digits always suffice")


def shortest(bits: int) -> float:
    (single,) = shortest_float32s([from_bits(bits)])
    return single


@settings(max_examples=500)
@given(finite_bits)
@example(1)
@example(0x007FFFFF)
@example(0x00800000)
@example(LARGEST)
def test_any_single(bits: int) -> None:
    assert shortest(bits) in by_search(bits)
    assert shortest(bits | 0x80000000) == -shortest(bits)


@settings(max_examples=500)
@given(magnitudes, st.integers(0, 24))
def test_singles_of_the_magnitudes_that_plants_have(bits: int, zeros: int) -> None:
    """Also those that end in zeros, which may lie half-way between two decimals."""
    bits = max(bits >> zeros << zeros, magnitudes_from)
    assert shortest(bits) in by_search(bits)


@given(st.lists(finite_bits | magnitudes, min_size=2, max_size=40))
def test_many_at_once_are_as_each_alone(patterns: list[int]) -> None:
    assert shortest_float32s([from_bits(bits) for bits in patterns]) == [shortest(bits) for bits in patterns]


def test_where_the_exact_arithmetic_ends() -> None:
    for exponent in range(1, 255):
        for mantissa in (1, 0x2AAAAA, 0x400000, 0x555555, 0x7FFFFF):
            bits = exponent << 23 | mantissa
            assert shortest(bits) in by_search(bits), hex(bits)


def test_half_way_between_two_decimals_it_is_the_even_one() -> None:
    half_ways = [2097152.25, 2097152.75, -2097153.25, 131072.015625, 131072.046875]
    assert shortest_float32s(half_ways) == [2097152.2, 2097152.8, -2097153.2, 131072.02, 131072.05]


def test_every_power_of_two_and_its_neighbours() -> None:
    for exponent in range(1, 255):
        for bits in ((exponent << 23) - 1, exponent << 23, (exponent << 23) + 1):
            assert shortest(bits) in by_search(bits), hex(bits)


def test_denormals() -> None:
    for bits in [*range(1, 300), *(1 << i for i in range(23)), *(0x7FFFFF - 7919 * i for i in range(300))]:
        assert shortest(bits) in by_search(bits), hex(bits)


@given(st.lists(st.decimals(min_value=-9999, max_value=9999, allow_nan=False, places=2)))
def test_six_digits_come_back_as_they_were_written(decimals: list[Decimal]) -> None:
    written = [float(decimal) for decimal in decimals]
    assert shortest_float32s(singles(written)) == written


def test_zeros_keep_their_sign() -> None:
    assert [math.copysign(1, zero) for zero in shortest_float32s([0.0, -0.0])] == [1, -1]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        shortest_float32s([1.5, bad])
