"""The audit log as the commands see it: one fsync for what comes at once, and no more of a command than is needed."""

import asyncio
import os
import resource
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collector.commands import audit
from collector.commands.audit import AuditFailed, FileAudit, answered
from collector.commands.outcome import Outcome
from collector.storage.audit_file import read_audit
from fleet_client.commands import Command
from tests.doubles.clock import FakeClock


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does, without one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_what_comes_at_once_shares_an_fsync_and_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    async with FileAudit.open(tmp_path, FakeClock()) as kept:
        await asyncio.gather(*(kept.record({"n": number}) for number in range(1_000)))
    assert len(synced) <= 4
    assert [entry["n"] for entry in read_audit(tmp_path)] == list(range(1_000))
    assert next(read_audit(tmp_path))["time"] == "2026-04-17T08:00:00.000Z"


async def test_s10_a_full_disk_is_said_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    async with FileAudit.open(tmp_path, FakeClock()) as kept:
        await kept.record({"n": 1})
        with files_of_at_most(100), pytest.raises(AuditFailed, match=r"audit\.jsonl can not be written"):
            await kept.record({"n": 2, "text": "x" * 500})
        await kept.record({"n": 3})
    assert [entry["n"] for entry in read_audit(tmp_path)] == [1, 3]


async def test_s10_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    healed = threading.Event()
    monkeypatch.setattr(audit, "PATIENCE_S", 0.05)
    monkeypatch.setattr(os, "fsync", lambda _: healed.wait())
    async with FileAudit.open(tmp_path, FakeClock()) as kept:
        with pytest.raises(AuditFailed, match="has not answered for"):
            await kept.record({"n": 1})
        healed.set()
        await kept.record({"n": 2})
    assert [entry["n"] for entry in read_audit(tmp_path)] == [1, 2]


def test_of_a_refused_command_no_more_is_kept_than_tells_what_was_wanted() -> None:
    params = {"device_id": ["x" * 9_000], "tag": "t" * 9_000, "value": 10**400, "more": "x" * 9_000}
    entry = answered(Command("c", "id", "write_tag", params), Outcome("rejected", {}, "invalid_command", "no"))
    assert entry.keys() == {"stage", "command_id", "command", "device_id", "tag", "new", "status", "code"}
    assert len(str(entry)) < 1_200
