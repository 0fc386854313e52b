"""`make bench` runs and reports, and the page tells of all that it measures. What it measures is nobody's test: no
threshold here, and time enough for a machine ten times slower."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector.clock import SystemClock
from collector.history.history import History
from collector.status.board import Board
from tests.benchmarks import week
from tests.benchmarks.drivers import CASES
from tests.benchmarks.scale import ROWS
from tests.benchmarks.subjects import SUBJECTS
from tests.benchmarks.workloads import WORKLOADS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text("utf-8")


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=850, check=False)


@pytest.mark.timeout(900)
def test_a_quick_run_prints_the_table_and_writes_the_json(tmp_path: Path) -> None:
    base, result = tmp_path / "base.json", tmp_path / "bench.json"
    earlier = {"outbox: put + commit [messages/s]": dict.fromkeys(("median", "min", "max"), 12_345_678)}
    machine = {"collector": "0.0.9", "processor": "another"}
    base.write_text(json.dumps({"machine": machine, "figures": earlier}), encoding="utf-8")

    ran = bench("--quick", "--base", base, "--json", result)

    assert ran.returncode == 0, ran.stderr
    rows = [line.strip() for line in ran.stdout.splitlines()]
    w1, w4 = (workload.name for workload in WORKLOADS if workload.name.startswith(("W1:", "W4:")))
    for subject in (w1, w4, "start", "outbox", "planning", "decoding", "encoding", "protocols", "scale: every second"):
        assert subject in rows
    assert "12,345,678" in ran.stdout
    missed = {line.split(": ")[0] for line in rows if " wanted" in line}
    (cpu,) = [row for row in rows[rows.index(w4) :] if "CPU per published value" in row][:1]
    assert "≤ 1.5" in cpu
    assert ("MISSED" in cpu) == (w4.split(": ", maxsplit=1)[0] in missed)

    figures = json.loads(result.read_text(encoding="utf-8"))["figures"]
    for workload in (w1, w4):
        assert figures[f"{workload}: CPU per published value [µs]"]["times_the_floor"] > 0
        assert figures[f"{workload}: CPU per published value [µs]"]["samples"] == 2
        assert figures[f"{workload}: delivered [%]"]["target"] == "= 100"
    requests = {case.name: figures[f"protocols: {case.name}, 200 tags: requests a cycle"]["median"] for case in CASES}
    assert requests == {"modbus_tcp": 2, "s7": 1, "xgt": 1, "opcua read": 1, "opcua subscribe": 1}
    assert figures["scale: every second: 10 × 30: tags"]["median"] == 300


async def test_the_week_that_the_api_is_asked_for_is_what_the_history_would_have_written(tmp_path: Path) -> None:
    await week.fill(tmp_path, 62)
    clock = SystemClock()
    async with History.open(
        tmp_path, limit_bytes=1 << 30, raw_hours=24, zone=None, clock=clock, board=Board(clock)
    ) as history:
        for tag in (week.NAMES[0], week.NAMES[-1]):
            first, last = [await history.series(device, tag, 0, 1 << 43, resolution_s=0) for device in ("1", "10")]
            assert len(first.start_ms) == len(last.start_ms) == 62 * 60
            assert (first.start_ms, first.last) == (last.start_ms, last.last)
            days = [await history.aggregate(device, tag, 0, 1 << 43, per="day") for device in ("1", "10")]
            assert [sum(day.count) for day in days] == [62 * 60] * 2


def test_a_file_that_is_no_result_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("[]", encoding="utf-8")

    ran = bench("--base", other)

    assert ran.returncode == 2
    assert f"{other} is no result of this benchmark" in ran.stderr


def test_an_unknown_subject_is_refused_with_those_that_there_are() -> None:
    ran = bench("sacle")

    assert ran.returncode == 2
    assert "sacle" in ran.stderr
    assert all(name in ran.stderr for name in SUBJECTS)


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_make_passes_an_earlier_result_on() -> None:
    command = ["make", "--dry-run", "--assume-old=.venv/.ready", "bench", "BASE=build/earlier.json", "ARGS=--quick"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "tests.benchmarks --base build/earlier.json --quick" in told.stdout


def test_the_page_tells_of_every_subject_and_of_nothing_else() -> None:
    told = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert told == list(SUBJECTS)


def test_the_page_tells_of_every_workload_with_its_targets() -> None:
    for workload in WORKLOADS:
        (row,) = [line for line in PAGE.splitlines() if line.startswith(f"| {workload.name} |")]
        cells = [cell.strip() for cell in row.split("|")]
        assert f"≤ {workload.cpu_us:g}" in cells
        assert f"≤ {workload.memory_mb:g}" in cells


def test_the_scale_reaches_a_thousand_devices_and_a_hundred_thousand_tags() -> None:
    assert {row.devices for row in ROWS} == {1, 10, 100, 500, 1_000}
    assert {1_000, 10_000, 100_000} <= {row.devices * row.tags for row in ROWS}
