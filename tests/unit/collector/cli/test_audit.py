"""`edge-collector audit`: a row a write or command, and nothing that a terminal would obey."""

import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.console import Console

from collector.cli.audit import NO_RESULT, rows_of, show_audit
from collector.storage.audit_file import AuditFile

WRITE = {
    "time": "2026-04-17T08:00:00.000Z", "command_id": "c-1", "command": "write_tag", "device_id": "1",
    "device": "프레스", "tag": "setpoint", "old": 20.0, "old_raw": 200, "new": 42.5,
}  # fmt: skip
DONE = {"status": "success", "code": None, "read_back": 42.5, "read_back_raw": 425}
INTENT, RESULT = {**WRITE, "stage": "intent"}, {**WRITE, "stage": "result", **DONE}
ANSWERED = {"time": WRITE["time"], "stage": "command", "command_id": "c-1", "command": "write_tag", "device_id": "1"}
REFUSED = {**ANSWERED, "command_id": "c-2", "tag": "fixed", "new": 1, "status": "rejected", "code": "not_writable"}


def told(folder: Path, *entries: Mapping[str, object], last: int = 100, as_json: bool = False) -> tuple[int, str]:
    if entries:
        AuditFile(folder / "audit").append(entries)
    output = io.StringIO()
    status = show_audit(folder, last, Console(file=output, width=140), as_json=as_json)
    return status, output.getvalue()


def test_a_write_is_one_row_and_a_refusal_another(tmp_path: Path) -> None:
    success = {**ANSWERED, "status": "success", "code": None}
    status, text = told(tmp_path, INTENT, RESULT, success, REFUSED)
    first, second = [line for line in text.splitlines() if "write_tag" in line]
    assert status == 0
    assert all(part in first for part in ("프레스/setpoint", "20.0 → 42.5", "success", "c-1"))
    assert all(part in second for part in ("1/fixed", "→ 1", "rejected: not_writable", "c-2"))


def test_an_intent_without_a_result_and_a_mismatch_say_so() -> None:
    mismatch = {**RESULT, "status": "error", "code": "verify_mismatch", "read_back": 60}
    cut_off, told_after = rows_of([INTENT, {**ANSWERED, "status": "error", "code": "outcome_unknown"}], 9)
    assert (cut_off.status, told_after.status) == (NO_RESULT, "error: outcome_unknown")
    (row,) = rows_of([INTENT, mismatch, {**ANSWERED, "status": "error", "code": "verify_mismatch"}], 9)
    assert (row.status, row.change) == ("error: verify_mismatch", "20.0 → 42.5 (reads 60)")


def test_the_last_ones_as_they_are_kept(tmp_path: Path) -> None:
    status, text = told(tmp_path, INTENT, RESULT, REFUSED, last=2, as_json=True)
    assert (status, [json.loads(line) for line in text.splitlines()]) == (0, [RESULT, REFUSED])
    assert [row.command_id for row in rows_of([INTENT, RESULT, REFUSED], 1)] == ["c-2"]


def test_what_somebody_put_into_an_id_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    _, text = told(tmp_path, {**REFUSED, "command_id": "\x1b[2J[red]"})
    assert "\x1b" not in text
    assert "[red]" in text


@pytest.mark.parametrize("arguments", [["--data-dir", "elsewhere"], []])
def test_where_there_is_none_it_says_so(tmp_path: Path, arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "collector", "audit", *arguments],
        cwd=tmp_path, env={"PYTHONPATH": str(Path(__file__).parents[4]), "DATA_DIR": "mine", "COLUMNS": "200"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    folder = Path(arguments[-1] if arguments else "mine", "audit")
    # On a machine with a service it is said whose settings count.
    said = [line for line in done.stderr.splitlines() if not line.startswith("settings: ")]
    assert (done.returncode, said) == (1, [])
    assert f"no audit log in {folder}" in done.stdout


def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("")
    status, text = told(tmp_path)
    assert (status, "can not be read" in text) == (1, True)
