"""What a run is told by: polls as a PLC logged them, and messages as they came."""

import json
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.benchmarks.course import Course, course, percentiles
from tests.benchmarks.plc import Plcs
from tests.benchmarks.subscriber import Received

BEGUN_MS = 1_776_412_800_000
TAGS = 10
NAMES = tuple(f"temperature_{number:04d}" for number in range(TAGS))


def plcs(folder: Path, *polls: tuple[int, int, int]) -> Plcs:
    """Two PLCs; a poll is a PLC from 0 on, and when it was asked and had answered (ms from the beginning)."""
    log = folder / "plcs.log"
    numbers = array("q")
    for number, asked_ms, answered_ms in polls:
        numbers.extend((number, (BEGUN_MS + asked_ms) * 1_000_000, (BEGUN_MS + answered_ms) * 1_000_000))
    log.write_bytes(numbers.tobytes())
    return Plcs((1, 2), (log,))


def message(device: int, stamp_ms: int, at_ms: int, names: Iterable[str] = NAMES) -> Received:
    stamp = datetime.fromtimestamp((BEGUN_MS + stamp_ms) / 1000, UTC).isoformat()
    body = {"timestamp": stamp, "connection_id": device, "tags": dict.fromkeys(names, 1)}
    return Received(json.dumps(body).encode(), (BEGUN_MS + at_ms) * 1_000_000)


def watched(polled: Plcs, received: Sequence[Received], *borders_ms: int) -> Course:
    moments = [(BEGUN_MS + border) * 1_000_000 for border in borders_ms]
    cpu_s = [0.001 * place for place in range(len(moments))]
    return course(polled, received, tags=TAGS, interval_s=1.0, moments=moments, cpu_s=cpu_s)


def test_a_poll_is_delivered_with_the_message_that_has_its_time(tmp_path: Path) -> None:
    polled = plcs(tmp_path, (0, 0, 5), (0, 1000, 1005), (0, 2003, 2008))
    seen = watched(polled, [message(1, 1005, 1007), message(1, 2008, 2018)], 500, 2900)

    assert seen.delivered_percent == 100
    assert seen.late_ms == [[2.0, 10.0]]
    assert seen.off_beat_ms == [[0.0, pytest.approx(3.0)]]
    assert [sample.missed for sample in seen.samples] == [0, 0]
    assert list(seen.cpu_us) == pytest.approx([0.001e6 / (2 * TAGS)])


def test_a_poll_without_a_message_is_not_delivered_and_takes_no_other_s(tmp_path: Path) -> None:
    polled = plcs(tmp_path, (0, 0, 5), (0, 1000, 1005), (0, 2000, 2005), (1, 100, 105), (1, 1100, 1105))
    seen = watched(polled, [message(1, 2005, 2006), message(2, 1105, 1106)], 500, 2900)

    assert [sample.late_ms for sample in seen.samples] == [None, 1.0, 1.0]
    assert seen.delivered_percent == pytest.approx(200 / 3)


def test_a_poll_is_delivered_when_the_last_part_of_it_has_come(tmp_path: Path) -> None:
    polled = plcs(tmp_path, (0, 0, 5), (0, 1000, 1005), (0, 2000, 2005))
    parts = [message(1, 1005, 1007, NAMES[:4]), message(1, 1005, 1009, NAMES[4:]), message(1, 2005, 2006, NAMES[:4])]
    seen = watched(polled, parts, 500, 2900)

    assert [sample.late_ms for sample in seen.samples] == [4.0, None]
    assert list(seen.cpu_us) == pytest.approx([0.001e6 / TAGS])
    assert seen.messages == 3


def test_a_cycle_that_was_left_out_is_counted_and_is_no_jitter(tmp_path: Path) -> None:
    polled = plcs(tmp_path, (0, 0, 5), (0, 3002, 3007))
    (sample,) = watched(polled, [message(1, 3007, 3008)], 500, 3900).samples

    assert sample.missed == 2
    assert sample.off_beat_ms == pytest.approx(2.0)


def test_requests_in_a_row_are_one_poll(tmp_path: Path) -> None:
    polled = plcs(tmp_path, (0, 0, 5), (0, 1000, 1005), (0, 1006, 1010))
    (sample,) = watched(polled, [message(1, 1010, 1012)], 500, 1900).samples

    assert sample.requests == 2
    assert sample.late_ms == 2.0


def test_each_poll_is_in_the_window_in_which_it_was_asked(tmp_path: Path) -> None:
    polled = plcs(tmp_path, *((0, 1000 * second, 1000 * second + 5) for second in range(6)))
    received = [message(1, 1000 * second + 5, 1000 * second + 6) for second in range(6)]

    assert [len(window) for window in watched(polled, received, 500, 2500, 5500).windows] == [2, 3]


def test_a_percentile_of_all_windows_is_not_the_median_of_theirs() -> None:
    assert percentiles([[1.0] * 50, [1.0] * 49 + [9.0]], 0.99) == ((1.0, 9.0), 9.0)
    assert percentiles([], 0.5) == ((0.0,), 0.0)
