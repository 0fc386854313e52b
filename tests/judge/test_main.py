"""`make judge` itself, in its smallest measure."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def judge(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.judge", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=50)


def test_a_trial_gives_a_table_a_result_file_and_a_last_word(tmp_path: Path) -> None:
    done = judge("limit", "--share", "0.02", "--json", str(tmp_path / "result.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The promise was kept." in done.stdout
    result = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert {"date", "version", "python", "sqlite", "machine", "seed"} < result.keys()
    assert result["trials"]["limit"]["lost"] == 0
    assert result["trials"]["limit"]["named"] > 0


def test_a_trial_that_is_none_is_named() -> None:
    done = judge("earthquake")
    assert done.returncode == 2
    assert "unknown: earthquake; expected some of kills, power_cuts" in done.stderr
