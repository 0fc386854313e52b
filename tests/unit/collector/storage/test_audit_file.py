"""The audit log: appended to, rotated, readable after an unfinished line, refused on a disk that is full."""

import json
from pathlib import Path

import pytest

from collector.storage import audit_file
from collector.storage.audit_file import AuditFile, read_audit
from collector.storage.errors import StorageFailed


def test_entries_come_back_in_order_with_their_korean(tmp_path: Path) -> None:
    audit = AuditFile(tmp_path / "audit")
    for number in range(3):
        audit.append([{"tag": "설정값", "new": number}])
    assert list(read_audit(tmp_path / "audit")) == [{"tag": "설정값", "new": number} for number in range(3)]
    assert (tmp_path / "audit/audit.jsonl").stat().st_mode & 0o077 == 0


def test_it_is_rotated_by_size_and_the_oldest_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_file, "FILE_BYTES", 200)
    audit = AuditFile(tmp_path)
    for number in range(200):
        audit.append([{"n": number, "filler": "x" * 20}])
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["audit.jsonl", *(f"audit.jsonl.{number}" for number in range(1, 10))]
    kept = [entry["n"] for entry in read_audit(tmp_path)]
    assert kept == list(range(kept[0], 200))  # type: ignore[call-overload]
    assert all(path.stat().st_size <= 200 for path in tmp_path.iterdir())


def test_a_line_a_power_cut_left_unfinished_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text(json.dumps({"n": 1}) + '\n{"n": 2, "ta')
    AuditFile(tmp_path).append([{"n": 3}])
    assert list(read_audit(tmp_path)) == [{"n": 1}, {"n": 3}]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("")
    (tmp_path / "audit.jsonl").symlink_to(target)
    with pytest.raises(StorageFailed, match="can not be written"):
        AuditFile(tmp_path).append([{"n": 1}])
    assert target.read_text() == ""


def test_where_no_folder_can_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFailed, match="can not be written"):
        AuditFile(tmp_path / "file").append([{"n": 1}])
