"""The outbox while the disk refuses, and after."""

import asyncio
import random
from pathlib import Path

import pytest

from collector.delivery import outbox as outbox_module
from collector.status.board import Board
from collector.storage.errors import DiskFull, StorageFailed
from collector.storage.outbox_store import FILE_NAME, OutboxStore
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import Opener, next_entry, record, take_all, take_letters


def balanced(board: Board) -> bool:
    counts = board.buffer
    return counts.recorded == counts.acknowledged + counts.messages + counts.dropped


async def test_a_full_disk_is_survived_in_memory_and_heals(
    opened: Opener, clock: FakeClock, boards: list[Board], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox_module, "RING_MESSAGES", 100)

    def refuse(*_: object) -> None:
        raise DiskFull("disk full")

    async with opened() as outbox:
        board = boards[-1]
        with monkeypatch.context() as full:
            full.setattr(OutboxStore, "apply", refuse)
            for _ in range(50):
                record(outbox, clock)
            await outbox.commit()
            assert board.conditions["storage_degraded"].detail == "disk full; messages are in memory only"
            for _ in range(150):
                record(outbox, clock)
            assert (board.buffer.messages, board.buffer.dropped) == (100, 100)
            sent = [entry.seq for entry in await take_all(outbox)]
            assert sent == list(range(101, 201))
            outbox.rewind()
        await outbox.commit()
        assert "storage_degraded" not in board.conditions
        gaps = [letter for letter in await take_letters(outbox) if letter["type"] == "gap"]
        assert [(gap["from_seq"], gap["to_seq"], gap["reason"]) for gap in gaps] == [(1, 100, "storage")]
        assert balanced(board)
    async with opened() as outbox:
        assert [entry.seq for entry in await take_all(outbox)] == list(range(101, 201))


async def test_a_failed_write_changes_nothing_about_order_or_bytes(
    opened: Opener, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = OutboxStore.apply
    failures = iter([True, False, True, True, False, False, False])

    def sometimes(store: OutboxStore, data: object, letters: object) -> object:
        if next(failures, False):
            raise StorageFailed("I/O error")
        return apply(store, data, letters)  # type: ignore[arg-type]

    monkeypatch.setattr(OutboxStore, "apply", sometimes)
    async with opened() as outbox:
        first: dict[int | None, bytes] = {}
        for _ in range(6):
            for _ in range(30):
                record(outbox, clock)
            for _ in range(20):
                entry = await next_entry(outbox)
                assert entry is not None
                if entry.is_data:
                    assert first.setdefault(entry.seq, entry.payload) == entry.payload
            await outbox.commit()
            outbox.rewind()
        taken = await take_all(outbox)
        assert [entry.seq for entry in taken] == list(range(1, 181))
        for entry in taken:
            assert first.get(entry.seq, entry.payload) == entry.payload


async def test_a_folder_that_can_not_be_used_at_start_is_no_reason_not_to_start(
    opened: Opener, clock: FakeClock, tmp_path: Path, boards: list[Board]
) -> None:
    (tmp_path / "outbox").write_text("a file where the folder should be")
    async with opened() as outbox:
        epoch = outbox.epoch
        assert len(epoch) == 8
        record(outbox, clock)
        await outbox.commit()
        assert "storage_degraded" in boards[-1].conditions
        (tmp_path / "outbox").unlink()
        (tmp_path / "outbox").mkdir()
        clock.advance(10)
        await outbox.commit()
        assert "storage_degraded" not in boards[-1].conditions
    async with opened() as outbox:
        assert [(entry.epoch, entry.seq) for entry in await take_all(outbox)] == [(epoch, 1)]


async def test_d8_a_file_that_goes_bad_under_the_process_is_replaced_and_the_loss_named(
    opened: Opener, clock: FakeClock, tmp_path: Path, boards: list[Board]
) -> None:
    async with opened() as outbox:
        for _ in range(5000):
            record(outbox, clock, size=200)
    path = tmp_path / "outbox" / FILE_NAME
    async with opened() as outbox:
        size = path.stat().st_size
        with path.open("r+b") as file:
            for page in range(size // 4096 // 3, size // 4096 // 2):
                file.seek(page * 4096)
                file.write(random.Random(page).randbytes(4096))
        taken = []
        async with asyncio.timeout(20):
            while not outbox.idle:
                while (entry := outbox.take()) is not None:
                    if entry.is_data:
                        taken.append(entry)
                    outbox.acknowledge(entry)
                await outbox.commit()
                await asyncio.sleep(0.001)
        assert balanced(boards[-1])
        assert boards[-1].buffer.dropped > 0
        assert "outbox_recovered" in boards[-1].conditions
        assert {entry.seq for entry in taken} >= set(range(1, 1000)) | set(range(4000, 5001))


async def test_one_process_one_folder_also_when_the_first_has_trouble(opened: Opener, tmp_path: Path) -> None:
    async with opened() as outbox:
        assert outbox.idle
        assert (tmp_path / "outbox" / FILE_NAME).stat().st_mode & 0o777 == 0o600
