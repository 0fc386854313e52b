"""What a run through the whole collector is told by: the messages alone."""

import json
from datetime import UTC, datetime

import pytest

from tests.benchmarks.drivers import CASES
from tests.benchmarks.end_to_end import seen_in
from tests.benchmarks.subscriber import Received

BEGUN_MS = 1_776_412_800_000
TAGS = 4


def message(stamp_ms: int, at_ms: int, tags: int = TAGS) -> Received:
    stamp = datetime.fromtimestamp((BEGUN_MS + stamp_ms) / 1000, UTC).isoformat()
    body = {"timestamp": stamp, "connection_id": 1, "tags": dict.fromkeys(map(str, range(tags)), 1)}
    return Received(json.dumps(body).encode(), (BEGUN_MS + at_ms) * 1_000_000)


def moment(at_ms: int) -> int:
    return (BEGUN_MS + at_ms) * 1_000_000


def test_what_came_is_counted_by_values_and_by_the_window_it_came_in() -> None:
    received = [message(0, 2), message(1000, 1003), message(2004, 2005), message(3004, 3010)]
    seen = seen_in(received, TAGS, [moment(500), moment(1500), moment(3500)], [1.0, 1.1, 1.5])

    assert seen.delivered_percent == 100
    assert list(seen.cpu_us) == pytest.approx([0.1e6 / TAGS, 0.4e6 / (2 * TAGS)])
    assert seen.late_ms == ((3.0,), (1.0, 6.0))
    assert [list(window) for window in seen.off_beat_ms] == [pytest.approx([0.0]), pytest.approx([4.0, 0.0])]


def test_a_poll_in_two_parts_is_one_beat_and_a_missing_part_is_missing() -> None:
    received = [message(0, 2), message(1000, 1002, 3), message(1000, 1003, 1), message(2000, 2002, 3)]
    seen = seen_in(received, TAGS, [moment(500), moment(2500)], [1.0, 1.1])

    assert seen.delivered_percent == pytest.approx(100 * 7 / 8)
    assert seen.off_beat_ms == ((0.0, 0.0),)


def test_the_collector_is_given_the_very_words_that_the_driver_is_measured_with() -> None:
    for case in CASES:
        entry = case.entry(3, 4840)
        tags = entry["tags"]
        assert isinstance(tags, list)
        assert [tag["address"] for tag in tags] == case.addresses(3)
        assert {tag["mode"] for tag in tags} == {"subscribe" if case.subscribe else "poll"}
