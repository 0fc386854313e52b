"""`make bench` runs and reports. What it measures is nobody's test: no threshold here."""

import json
import subprocess
import sys
from pathlib import Path

from collector.clock import SystemClock
from collector.history.history import History
from collector.status.board import Board
from tests.benchmarks import week

ROOT = Path(__file__).parents[2]


def bench(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.benchmarks", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)


def test_a_quick_run_prints_the_table_and_writes_the_json(tmp_path: Path) -> None:
    base, result = tmp_path / "base.json", tmp_path / "bench.json"
    earlier = {"outbox: put + commit [messages/s]": {"median": 12_345_678}}
    base.write_text(json.dumps({"figures": earlier}), encoding="utf-8")

    ran = bench("--quick", "--base", base, "--json", result)

    assert ran.returncode == 0, ran.stderr
    rows = [line.split() for line in ran.stdout.splitlines()]
    for subject in ("UINT16", "start", "outbox", "planning", "decoding", "encoding", "protocols"):
        assert [subject] in rows
    assert "CPU added per value" in ran.stdout
    (cpu,) = [line for line in ran.stdout.splitlines() if "CPU per published value" in line]
    assert "≤ 5" in cpu
    assert ("met" in cpu) != ("MISSED" in cpu)
    assert "12,345,678" in ran.stdout

    figures = json.loads(result.read_text(encoding="utf-8"))["figures"]
    assert figures["UINT16: requests a poll"]["median"] == 8
    assert figures["UINT16: CPU per published value [µs]"]["times_the_floor"] > 0
    assert figures["UINT16: polls delivered [%]"]["samples"] == 1
    requests = {name: figures[f"protocols: {name}: requests a cycle"] for name in ("modbus_tcp", "s7", "xgt", "opcua")}
    assert {name: figure["median"] for name, figure in requests.items()} == {
        "modbus_tcp": 8, "s7": 5, "xgt": 2, "opcua": 2,
    }  # fmt: skip
    assert figures["protocols: opcua: CPU per value [µs]"]["target"] == "≤ 30"
    assert not any(name.startswith("scale") for name in figures)


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
