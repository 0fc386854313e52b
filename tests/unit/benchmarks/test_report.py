"""The tables say what was met, what was missed, and by how much."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.report import print_report, read_base, write_json

SLOW = Figure("W1", "CPU per value", "µs", (6.0, 7.0, 8.0), Target("≤", 5), floor=(2.0,))
QUICK = Figure("W1", "latency, p99", "ms", (1.0, 2.0, 3.0), Target("≤", 8), whole=2.5)
CELLS = [
    Figure("scale", "memory", "MB", (350.0,), Target("≤", 300), case="100 × 1,000"),
    Figure("scale", "CPU", "%", (80.0,), case="100 × 1,000"),
]


def test_a_missed_target_is_marked_and_listed_again(capsys: pytest.CaptureFixture[str]) -> None:
    print_report([SLOW, QUICK, *CELLS], {"python": "3.11"}, None)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert "CPU per value µs 7 6 … 8 ≤ 5 MISSED 2 3.5" in lines
    assert "latency, p99 ms 2.5 1 … 3 ≤ 8 met" in lines
    assert "100 × 1,000 350 MISSED 80" in lines
    assert "1 of 3 targets met." in lines
    assert "W1: CPU per value [µs]: 7, ≤ 5 wanted" in lines
    assert "scale: 100 × 1,000: memory [MB]: 350, ≤ 300 wanted" in lines


def test_an_earlier_result_stands_beside_the_new_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "earlier.json"
    memory, cpu = CELLS
    earlier = [replace(SLOW, values=(11.5, 12.5, 13.5)), replace(memory, values=(290.0,))]
    write_json(file, earlier, {"collector": "0.1.0, commit abc", "processor": "2 × some, load 1 before the run"})

    print_report([SLOW, memory, cpu], {}, read_base(file))

    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "before: 0.1.0, commit abc; 2 × some, load 1 before the run" in lines
    assert "CPU per value µs 7 6 … 8 ≤ 5 MISSED 2 3.5 12.5 (11.5 … 13.5)" in lines
    assert lines[lines.index("100 × 1,000 350 MISSED 80") + 1] == "before 290"


def test_beside_an_earlier_result_no_line_is_cut_whatever_its_length(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "earlier.json"
    long = Figure("opcua subscribe", "o" * 60, "messages/s", (16_001.0, 17_001.0, 18_001.0), Target("≥", 20_000))
    floored = replace(long, floor=(11_111.0,))
    write_json(file, [floored], {"collector": "0.1.0", "processor": "some"})

    print_report([floored], {}, read_base(file))

    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("    " + "o" * 60)]
    assert " ".join(line.split()).endswith(
        "o messages/s 17,001 16,001 … 18,001 ≥ 20000 MISSED 11,111 1.53 17,001 (16,001 … 18,001)"
    )


def test_the_result_has_the_whole_and_the_spread_of_the_windows(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    write_json(file, [QUICK], {"python": "3.11"})

    assert json.loads(file.read_text("utf-8"))["figures"]["W1: latency, p99 [ms]"] == {
        "median": 2.5, "min": 1.0, "max": 3.0, "samples": 3,
        "target": "≤ 8", "met": True, "floor": None, "times_the_floor": None,
    }  # fmt: skip
