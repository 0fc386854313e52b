"""What waits to be written is kept small, and comes back as it was."""

import math
import random
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.history.folded import FoldedScan
from collector.polling.scan import Scan
from protocols.base import Value
from protocols.quality import Quality
from tests.doubles.scans import plain_device

SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False) | st.text(max_size=20)
VALUES = st.lists(SCALARS | st.lists(st.integers() | st.floats(allow_nan=False), max_size=3), min_size=1, max_size=30)


@given(VALUES, st.sampled_from(Quality))
def test_values_come_back_with_their_types(values: list[Value | None], quality: Quality) -> None:
    device = plain_device([f"t{number}" for number in range(len(values))])
    scan = Scan(device, 1_776_412_800_000, device.names, values, {0: quality})

    unfolded = FoldedScan.of(scan).unfold()

    assert unfolded == scan
    assert unfolded.device is device
    assert repr(unfolded.values) == repr(values), "1, 1.0 and true are equal, and not the same"
    assert unfolded.bad[0] is quality


@pytest.mark.parametrize("near", [2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2])
@pytest.mark.parametrize("sign", [1, -1])
def test_integers_among_fractions_are_exact(near: int, sign: int) -> None:
    device = plain_device(["a", "b"])
    scan = Scan(device, 0, device.names, [0.5, sign * near], {})

    assert FoldedScan.of(scan).unfold() == scan


@pytest.mark.parametrize(("tags", "scans", "megabytes"), [(1_000, 3_000, 20), (50_000, 40, 10)])
def test_patterns_that_never_come_again_are_not_remembered_for_ever(tags: int, scans: int, megabytes: int) -> None:
    device, chance = plain_device(["a"]), random.Random(tags)
    tracemalloc.start()
    try:
        for _ in range(scans):
            values: list[Value | None] = [1] * tags
            for place in chance.sample(range(tags), 10):
                values[place] = None
            FoldedScan.of(Scan(device, 0, device.names, values, {}))
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < megabytes << 20


def test_a_number_takes_about_its_own_bytes() -> None:
    device = plain_device([f"t{number}" for number in range(1_000)])
    values: list[Value | None] = [math.sqrt(number) for number in range(1_000)]

    folded = FoldedScan.of(Scan(device, 0, device.names, values, {}))

    assert len(folded.numbers) * folded.numbers.itemsize == 8 * len(values)
    assert not folded.others


def test_a_device_that_is_away_takes_next_to_nothing() -> None:
    """A hundred tags ten times a second, for a minute."""
    names = [f"t{number}" for number in range(100)]
    device = plain_device(names)
    tracemalloc.start()
    try:
        kept: list[FoldedScan] = []
        for stamp_ms in range(600):
            bad = dict.fromkeys(range(len(names)), Quality.NO_VALUE)
            scan = Scan(device, stamp_ms, device.names, [None] * len(names), bad)
            kept.append(FoldedScan.of(scan, kept[-1].bad if kept else None))
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert taken < 600 * 600
    assert kept[-1].unfold() == scan
