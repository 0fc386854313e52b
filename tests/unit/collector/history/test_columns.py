"""Every value comes back as it was: its type, its last bit, and where there was none."""

import math
import random
import struct
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collector.history.columns import pack_column, unpack_column
from collector.history.numbers import from_planes, pack_integers, to_planes, unpack_integers
from protocols.base import Value

INTEGERS = st.integers(-(2**63), 2**64 - 1)
DECIMALS = st.builds(lambda whole, digits: whole / 10**digits, st.integers(-(10**9), 10**9), st.integers(0, 6))
FLOATS = st.floats(allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)
SCALARS = st.one_of(INTEGERS, DECIMALS, FLOATS, st.booleans(), TEXTS)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=8)
COLUMNS = st.one_of(
    *(st.lists(st.one_of(st.none(), kind), min_size=1, max_size=70) for kind in (INTEGERS, DECIMALS, FLOATS, TEXTS)),
    *(st.lists(kind, min_size=1, max_size=70) for kind in (st.integers(-300, 300), DECIMALS, FLOATS, st.booleans())),
    st.lists(st.one_of(st.none(), VALUES), min_size=1, max_size=20),
)


def exact(value: Value | None) -> object:
    """What tells 1 from 1.0 and True, and 0.0 from -0.0."""
    if isinstance(value, list):
        return [exact(each) for each in value]
    return type(value), struct.pack("d", value) if isinstance(value, float) else value


@given(COLUMNS)
def test_a_column_comes_back_as_it_was(column: list[Value | None]) -> None:
    unpacked = unpack_column(pack_column(column), len(column))
    assert [exact(value) for value in unpacked] == [exact(value) for value in column]


@pytest.mark.parametrize(
    "column",
    [
        [0.0, -0.0, 0.5],
        [-0.0, -0.0],
        [2**64 - 1, 0],
        [2**64 - 1, -(2**63), 0],
        [1e308, -1e308, 5e-324],
        [float(2**53), float(2**53 - 1), 0.1],
        [math.inf, 1.0],
        [1, 1.0, True],
        [None, None],
        [[1, 2.5, "값"], [1, 2.5, "값"]],
        [[0.0], [-0.0]],
        ["\ud800", "x"],
    ],
)
def test_what_is_easily_taken_for_something_else(column: list[Value | None]) -> None:
    unpacked = unpack_column(pack_column(column), len(column))
    assert [exact(value) for value in unpacked] == [exact(value) for value in column]


@given(st.lists(INTEGERS, min_size=1, max_size=70))
@example([-(2**63), 2**63])
def test_integers_come_back_unless_their_range_is_beyond_64_bits(values: list[int]) -> None:
    packed = pack_integers(values)
    if packed is None:
        assert max(values) - min(values) >= 2**64
    else:
        assert unpack_integers(packed) == values


@given(st.lists(st.integers(0, 255), max_size=40), st.sampled_from([1, 2, 4, 8]))
def test_planes(numbers: list[int], width: int) -> None:
    body = bytes(numbers * width)
    assert from_planes(to_planes(body, width), width) == body


def test_a_slow_signal_takes_a_byte_a_value() -> None:
    noise = random.Random(1)
    column = [round(25 + 5 * math.sin(second / 300) + noise.gauss(0, 0.15), 1) for second in range(60)]
    assert len(pack_column(column)) < 80
    assert len(pack_column([100_000 + second // 3 for second in range(60)])) < 80
    assert len(zlib.compress(pack_column([42.5] * 60))) < 20
