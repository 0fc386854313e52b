"""Of a PLC that tells by itself, the values say when they were made: so they say what was delivered."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.benchmarks.course import Course
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import READINGS, Variant, reading, tag, turn
from tests.benchmarks.told import told_course

SPAN_S, TAGS = 2.0, 4
BEGUN_MS = 1_776_412_800_000
BEGUN = turn(BEGUN_MS / 1000, SPAN_S)
VARIANT = Variant(
    "", tuple(tag(n, n, "UINT16") for n in range(TAGS)), b"", interval_ms=2_000, protocol="opcua", told=True
)


def message(turns: Sequence[int], stamp_ms: int, at_ms: int, first: int = 0) -> Received:
    """Tags from `first` on, each with a value of that turn, counted from the beginning."""
    stamp = datetime.fromtimestamp((BEGUN_MS + stamp_ms) / 1000, UTC).isoformat()
    values = {
        f"temperature_{number:04d}": (reading(number) + BEGUN + since) % READINGS / 10
        for number, since in enumerate(turns, first)
    }
    body = {"timestamp": stamp, "connection_id": 1, "tags": values}
    return Received(json.dumps(body).encode(), (BEGUN_MS + at_ms) * 1_000_000)


def told(received: Sequence[Received], *borders_ms: int) -> Course:
    moments = [(BEGUN_MS + border) * 1_000_000 for border in borders_ms]
    return told_course(received, VARIANT, moments=moments, cpu_s=[0.001 * place for place in range(len(moments))])


def test_a_turn_is_delivered_with_the_message_that_has_it_in_every_value() -> None:
    seen = told(
        [message([0, 0, 0, 0], 500, 502), message([1, 1, 1, 1], 2500, 2503), message([2] * 4, 4501, 4505)], 500, 5900
    )

    assert seen.delivered_percent == 100
    assert seen.late_ms == [[3.0, pytest.approx(4.0, abs=0.001)]]
    assert seen.off_beat_ms == [[0.0, pytest.approx(1.0, abs=0.001)]]


def test_a_turn_is_delivered_late_when_one_value_comes_late() -> None:
    seen = told([message([1, 1, 0, 1], 2500, 2503), message([2, 2, 1, 2], 4500, 4502)], 1900, 3900)

    assert seen.late_ms == [[2.0]]


def test_what_never_comes_is_not_delivered() -> None:
    seen = told([message([1] * 4, 2500, 2502), message([1] * 4, 4500, 4502)], 1900, 5900)

    assert [sample.late_ms for sample in seen.samples] == [2.0, None]
    assert seen.delivered_percent == 50


def test_a_scan_that_was_split_is_one() -> None:
    seen = told([message([1, 1], 2500, 2502), message([1, 1], 2500, 2509, first=2)], 1900, 3900)

    assert seen.late_ms == [[9.0]]


def test_nothing_at_all_is_told() -> None:
    assert told([], 1900, 5900).delivered_percent == 0
