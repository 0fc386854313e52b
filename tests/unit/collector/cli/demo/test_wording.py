"""Figures and drawings made of characters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.cli.demo.wording import bar, graph, quantity, size, span
from protocols.base import Value


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (25.4, "°C", "25.40 °C"),
        (120_394, "개", "120,394 개"),
        (True, "", "on"),
        (False, "°C", "off"),
        ("김철수", "", "김철수"),
        (None, "bar", "–"),
        ([1, 2, 3], "A", "3 elements A"),
    ],
)
def test_a_quantity_as_a_person_reads_it(value: Value | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_sizes_and_spans() -> None:
    assert (size(0), size(1023), size(29 * 1024), size(3 << 20), size(5 << 30)) == (
        "0 B",
        "1023 B",
        "29 KiB",
        "3 MiB",
        "5 GiB",
    )
    assert (span(5.9), span(65), span(3750)) == ("0:05", "1:05", "1:02:30")


def test_the_bar_shows_the_part() -> None:
    assert bar(0, 100, 10) == ("", "░" * 10)
    assert bar(50, 100, 10) == ("█" * 5, "░" * 5)
    assert bar(1, 100, 10) == ("█", "░" * 9)
    assert bar(500, 100, 10) == ("█" * 10, "")


def test_a_graph_rises_over_its_lines() -> None:
    assert graph([0, 40, 80], 10, 2) == [" ▁█", "▁██"]


def test_more_samples_than_columns_share_them_and_keep_the_peak() -> None:
    (line,) = graph([0] * 50 + [90] + [0] * 49, 10, 1)
    assert line == "▁▁▁▁▁█▁▁▁▁"


@given(st.lists(st.integers(0, 10**9), max_size=300), st.integers(0, 60), st.integers(0, 8))
def test_a_graph_always_fits(samples: list[int], width: int, height: int) -> None:
    lines = graph(samples, width, height)
    assert len(lines) in (0, height)
    assert all(len(line) <= width for line in lines)
