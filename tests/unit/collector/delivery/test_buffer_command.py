"""`edge-collector buffer`: the same answer from a stopped collector and from a running one, and nothing is changed."""

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from collector.cli import buffer
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.storage.errors import DiskFull
from collector.storage.outbox_store import FILE_NAME, OutboxStore
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import Opener, mark_buffered, next_entry, record, take_all

ENV_FILE = None


async def recorded(outbox: Outbox, clock: FakeClock) -> list[bytes]:
    """120 messages of which five are acknowledged and one is refused, and a response."""
    bodies = [record(outbox, clock) for _ in range(120)]
    await outbox.commit()
    for number in range(6):
        entry = await next_entry(outbox)
        assert entry is not None
        if number < 5:
            outbox.acknowledge(entry)
        else:
            outbox.refuse(entry, "too large")
    await outbox.commit()
    outbox.put_letter(Message("t/responses", '{"answer":"온도"}'.encode()))
    await outbox.commit()
    return [mark_buffered(body) for body in bodies[6:]]


def said(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().out


def check_export(text: str, epoch: str, bodies: list[bytes]) -> None:
    lines = [json.loads(line) for line in text.splitlines()]
    letters = [line for line in lines if line["seq"] is None]
    assert {"answer": "온도"} in [letter["payload"] for letter in letters]
    data = [line for line in lines if line["seq"] is not None]
    assert lines == letters + data
    assert [(line["epoch"], line["seq"]) for line in data] == [(epoch, seq) for seq in range(7, 121)]
    assert [line["payload"] for line in data] == [json.loads(body) for body in bodies]
    assert all(body.decode() in text for body in bodies)
    assert data[0]["timestamp"] == "2026-04-17T08:00:00.000Z"


async def test_of_a_running_collector(
    opened: Opener, clock: FakeClock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened() as outbox:
        bodies = await recorded(outbox, clock)
        outbox.rewind()
        said(capfd)
        assert await asyncio.to_thread(buffer.show_stats, ENV_FILE, tmp_path) == 0
        stats = json.loads(said(capfd))
        assert (stats["messages"], stats["dead_letters"], stats["in_memory"]) == (114, 1, 0)
        assert stats["epochs"] == [{"epoch": outbox.epoch, "messages": 114, "from_seq": 7, "to_seq": 120}]
        assert await asyncio.to_thread(buffer.export, ENV_FILE, tmp_path, tmp_path / "waiting.jsonl") == 0
        check_export((tmp_path / "waiting.jsonl").read_text("utf-8"), outbox.epoch, bodies)
        assert len(await take_all(outbox)) == 114


async def test_of_a_stopped_collector_and_after_a_power_cut(
    opened: Opener, clock: FakeClock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened() as outbox:
        bodies = await recorded(outbox, clock)
        shutil.copytree(tmp_path / "outbox", tmp_path / "cut" / "outbox")
        epoch = outbox.epoch
    said(capfd)
    for home in (tmp_path, tmp_path / "cut"):
        before = (home / "outbox" / FILE_NAME).read_bytes()
        assert await asyncio.to_thread(buffer.show_stats, ENV_FILE, home) == 0
        stats = json.loads(said(capfd))
        assert (stats["messages"], stats["oldest"], stats["dead_letters"]) == (114, "2026-04-17T08:00:00.000Z", 1)
        assert await asyncio.to_thread(buffer.export, ENV_FILE, home, None) == 0
        check_export(said(capfd), epoch, bodies)
        assert (home / "outbox" / FILE_NAME).read_bytes() == before
    async with opened() as outbox:
        assert len(await take_all(outbox)) == 114


async def test_what_is_in_memory_only_is_not_passed_over(
    opened: Opener, clock: FakeClock, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise DiskFull("disk full")

    async with opened() as outbox:
        with monkeypatch.context() as full:
            full.setattr(OutboxStore, "apply", refuse)
            record(outbox, clock)
            assert await asyncio.to_thread(buffer.export, ENV_FILE, tmp_path, None) == buffer.EXIT_NOT_READ
            assert "1 messages are in memory only" in capfd.readouterr().err


def test_where_there_is_nothing_it_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert buffer.show_stats(ENV_FILE, tmp_path) == buffer.EXIT_NOT_READ
    assert "there is no outbox" in capfd.readouterr().err
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / FILE_NAME).write_bytes(b"no database")
    assert buffer.show_stats(ENV_FILE, tmp_path) == buffer.EXIT_NOT_READ
    assert "not a database" in capfd.readouterr().err
    (tmp_path / "there").write_text("kept")
    assert buffer.export(ENV_FILE, tmp_path, tmp_path / "there") == buffer.EXIT_NOT_READ
    assert (tmp_path / "there").read_text() == "kept"


async def test_of_a_further_sink(
    opened: Opener, clock: FakeClock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with opened() as outbox:
        await recorded(outbox, clock)
    (tmp_path / "outbox").rename(tmp_path / "outbox-kafka")
    said(capfd)
    assert await asyncio.to_thread(buffer.show_stats, ENV_FILE, tmp_path, "kafka") == 0
    assert json.loads(said(capfd))["messages"] == 114
    assert await asyncio.to_thread(buffer.export, ENV_FILE, tmp_path, None, "kafka") == 0
    assert len(said(capfd).splitlines()) > 114
    assert await asyncio.to_thread(buffer.show_stats, ENV_FILE, tmp_path, "http") == buffer.EXIT_NOT_READ
