"""What waits to be written is kept small, and comes back as it was."""

import math

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


def test_a_number_takes_about_its_own_bytes() -> None:
    device = plain_device([f"t{number}" for number in range(1_000)])
    values: list[Value | None] = [math.sqrt(number) for number in range(1_000)]

    folded = FoldedScan.of(Scan(device, 0, device.names, values, {}))

    assert len(folded.numbers) * folded.numbers.itemsize == 8 * len(values)
    assert not folded.others
