import math
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.scaling import IDENTITY, Scaling, float32_scaler, float64_scaler, integer_scaler
from tests.unit.protocols.singles import singles

scales = st.decimals(min_value=-10_000, max_value=10_000, allow_nan=False, places=4).filter(bool)
offsets = st.decimals(min_value=-1_000_000, max_value=1_000_000, allow_nan=False, places=3)
integers = st.integers(-(2**63), 2**64 - 1)


def by_hand(raw: Decimal | int, scale: Decimal, offset: Decimal) -> float:
    """raw × scale + offset with two thousand digits, and then the nearest double."""
    with localcontext(prec=2000):
        return float(Decimal(raw) * scale + offset)


@pytest.mark.parametrize(
    ("raw", "scale", "offset", "value"),
    [
        (254, "0.1", "0", 25.4),
        (3, "0.1", "0", 0.3),
        (1234, "0.01", "-5", 7.34),
        (5, "1", "0", 5),
        (5, "1.0", "0.0", 5),
        (5, "2", "1", 11),
        (2**63 + 1, "1", "1", 2**63 + 2),
        (5, "0.5", "0.5", 3.0),
        (7, "-1", "0", -7),
    ],
)
def test_integers(raw: int, scale: str, offset: str, value: float) -> None:
    (scaled,) = integer_scaler(Scaling.of(Decimal(scale), Decimal(offset)))([raw])
    assert scaled == value
    assert type(scaled) is type(value)


@given(integers, scales, offsets)
def test_integers_are_scaled_as_in_decimal(raw: int, scale: Decimal, offset: Decimal) -> None:
    scaling = Scaling.of(scale, offset)
    if scaling.divisor == 1:
        return
    assert list(integer_scaler(scaling)([raw, raw])) == [by_hand(raw, scale, offset)] * 2


@given(st.floats(allow_nan=False, allow_infinity=False), scales, offsets)
def test_doubles_are_scaled_on_their_shortest_decimal(raw: float, scale: Decimal, offset: Decimal) -> None:
    expected = by_hand(Decimal(repr(raw)), scale, offset)
    scale_all = float64_scaler(Scaling.of(scale, offset))
    if scale == 1 and offset == 0:
        assert list(scale_all([raw])) == [raw]
    elif math.isinf(expected):
        with pytest.raises(OverflowError):
            scale_all([raw])
    else:
        assert list(scale_all([raw])) == [expected]


@given(st.decimals(min_value=-10_000, max_value=10_000, allow_nan=False, places=3), scales, offsets)
def test_doubles_that_people_meet_too(raw: Decimal, scale: Decimal, offset: Decimal) -> None:
    assert list(float64_scaler(Scaling.of(scale, offset))([float(raw)])) == [by_hand(raw, scale, offset)]


@given(
    st.decimals(min_value=-10_000_000, max_value=10_000_000, allow_nan=False, places=9),
    st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, places=6).filter(bool),
    st.decimals(min_value=-(10**12), max_value=10**12, allow_nan=False, places=7),
)
def test_doubles_near_what_doubles_can_reckon_exactly(raw: Decimal, scale: Decimal, offset: Decimal) -> None:
    shortest = Decimal(repr(float(raw)))
    assert list(float64_scaler(Scaling.of(scale, offset))([float(raw)])) == [by_hand(shortest, scale, offset)]


@given(st.decimals(min_value=-1000, max_value=1000, allow_nan=False, places=2), scales, offsets)
def test_singles_are_scaled_on_their_shortest_decimal(raw: Decimal, scale: Decimal, offset: Decimal) -> None:
    (single,) = singles([float(raw)])
    assert list(float32_scaler(Scaling.of(scale, offset))([single])) == [by_hand(raw, scale, offset)]


@pytest.mark.parametrize("scaling", [IDENTITY, Scaling(1, 0, 10)])
@pytest.mark.parametrize("scaler", [float32_scaler, float64_scaler])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(scaler: object, scaling: Scaling, bad: float) -> None:
    with pytest.raises((ValueError, OverflowError)):
        scaler(scaling)([1.0, bad])  # type: ignore[operator]


def test_a_result_too_large_for_a_double_is_refused() -> None:
    for convert in (float64_scaler, float32_scaler):
        with pytest.raises(OverflowError):
            convert(Scaling.of(Decimal("1e300"), Decimal(0)))([1e30])
    with pytest.raises(OverflowError):
        integer_scaler(Scaling.of(Decimal("1000"), Decimal(0)))([2**64 - 1])


def test_a_scaling_is_exact() -> None:
    scaling = Scaling.of(Decimal("0.1"), Decimal("-0.25"))
    assert Fraction(7 * scaling.multiplier + scaling.addend, scaling.divisor) == Fraction(7, 10) - Fraction(1, 4)
