import asyncio
import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.delivery.message import Message
from collector.status.board import Board
from collector.storage.errors import DataFolderInUse
from collector.storage.outbox_store import FILE_NAME
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import (
    Opener,
    mark_buffered,
    next_entry,
    record,
    take_all,
    take_letters,
)


def rows_written(folder: Path) -> int:
    """Bytes of the write-ahead log: whatever was ever written since the file was opened."""
    return (folder / "outbox" / f"{FILE_NAME}-wal").stat().st_size


async def test_a_healthy_minute_writes_nothing(
    opened: Opener, clock: FakeClock, tmp_path: Path, boards: list[Board]
) -> None:
    """Ten messages a second, each acknowledged before the keeper has its turn, which it is given every second."""
    async with opened() as outbox:
        before = rows_written(tmp_path)
        for _ in range(60):
            for _ in range(10):
                body = record(outbox, clock)
                entry = outbox.take()
                assert entry is not None
                assert entry.payload == body
                outbox.acknowledge(entry)
            await outbox.commit()
            clock.advance(1)
        assert rows_written(tmp_path) == before
        assert boards[-1].buffer.acknowledged == 600
        assert boards[-1].buffer.messages == 0


async def test_one_timer_serves_all_that_is_acknowledged_in_time(
    opened: Opener, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop, timers = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    call_at: Callable[..., asyncio.TimerHandle] = loop.call_at

    def noted(*arguments: object, **options: object) -> asyncio.TimerHandle:
        timers.append(call_at(*arguments, **options))
        return timers[-1]

    async with opened() as outbox:
        await asyncio.sleep(0)
        monkeypatch.setattr(loop, "call_at", noted)
        for _ in range(10):
            record(outbox, clock)
            entry = outbox.take()
            assert entry is not None
            outbox.acknowledge(entry)
        assert len(timers) == 1
        assert not timers[0].cancelled()


async def test_what_was_not_sent_is_written_with_the_mark_and_survives_a_restart(
    opened: Opener, clock: FakeClock, boards: list[Board]
) -> None:
    async with opened() as outbox:
        first_epoch = outbox.epoch
        bodies = [record(outbox, clock) for _ in range(300)]
    async with opened() as outbox:
        assert outbox.epoch > first_epoch
        assert boards[-1].buffer.messages == 300
        assert [entry.payload for entry in await take_all(outbox)] == [mark_buffered(body) for body in bodies]


async def test_bytes_are_decided_once(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        sent_first = record(outbox, clock)
        entry = outbox.take()
        assert entry is not None
        await outbox.commit()
        outbox.rewind()
        again = outbox.take()
        assert again is entry
        assert again.payload == sent_first
    async with opened() as outbox:
        repeated = await next_entry(outbox)
        assert repeated is not None
        assert repeated.payload == sent_first


async def test_disk_goes_before_memory_and_a_rewind_keeps_the_order(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        for _ in range(200):
            record(outbox, clock)
        await outbox.commit()
        for _ in range(10):
            record(outbox, clock)
        for _ in range(3):
            taken = [entry.seq for entry in await take_all(outbox)]
            assert taken == list(range(1, 211))
            outbox.rewind()


async def test_acknowledged_rows_are_deleted_and_the_others_stay(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        for _ in range(150):
            record(outbox, clock)
        await outbox.commit()
        for entry in await take_all(outbox):
            if entry.seq is not None and entry.seq % 3:
                outbox.acknowledge(entry)
    async with opened() as outbox:
        assert [entry.seq for entry in await take_all(outbox)] == list(range(3, 151, 3))


async def test_an_acknowledgement_while_its_message_is_being_written_deletes_the_row(
    opened: Opener, clock: FakeClock
) -> None:
    async with opened() as outbox:
        record(outbox, clock)
        record(outbox, clock)
        entry = outbox.take()
        assert entry is not None
        writing = asyncio.create_task(outbox.commit())
        await asyncio.sleep(0)
        assert entry.writing
        outbox.acknowledge(entry)
        await writing
    async with opened() as outbox:
        assert [left.seq for left in await take_all(outbox)] == [2]


async def test_with_commit_zero_nothing_is_sent_that_is_not_written(opened: Opener, clock: FakeClock) -> None:
    async with opened(commit_ms=0) as outbox:
        body = record(outbox, clock)
        assert outbox.take() is None
        await outbox.commit()
        entry = outbox.take()
        assert entry is not None
        assert entry.row is not None
        assert entry.payload == mark_buffered(body)


async def test_letters_go_first_and_survive(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        record(outbox, clock)
        outbox.put_letter(Message("t/responses", b'{"n":1}'))
        outbox.put_letter(Message("t/responses", b'{"n":2}'))
        first = outbox.take()
        assert first is not None
        assert first.payload == b'{"n":1}'
    async with opened() as outbox:
        assert [letter["n"] for letter in await take_letters(outbox) if "n" in letter] == [1, 2]


async def test_a_second_process_is_told_that_the_folder_is_in_use(opened: Opener) -> None:
    async with opened():
        with pytest.raises(DataFolderInUse, match="in use by another process"):
            async with opened():
                pass


async def test_epochs_grow_even_when_the_clock_goes_back_and_the_file_is_gone(
    opened: Opener, clock: FakeClock, tmp_path: Path
) -> None:
    epochs = []
    for _ in range(3):
        async with opened() as outbox:
            epochs.append(outbox.epoch)
        clock.step_wall(-86_400)
        (tmp_path / "outbox" / FILE_NAME).write_bytes(b"no database at all")
    assert epochs == sorted(set(epochs))


async def test_drained_is_told_once_the_backlog_is_delivered(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        for _ in range(5):
            record(outbox, clock)
        await outbox.commit()
        for entry in await take_all(outbox):
            outbox.acknowledge(entry)
        assert await take_letters(outbox) == [{"type": "drained", "epoch": outbox.epoch, "to_seq": 5}]
        record(outbox, clock)
        late = await next_entry(outbox)
        assert late is not None
        await outbox.commit()
        outbox.acknowledge(late)
        assert await take_letters(outbox) == []


async def test_a_refused_message_is_named_and_does_not_block_the_next(
    opened: Opener, clock: FakeClock, boards: list[Board]
) -> None:
    async with opened() as outbox:
        for _ in range(3):
            record(outbox, clock)
        await outbox.commit()
        first, second, third = await take_all(outbox)
        outbox.acknowledge(first)
        outbox.refuse(second, "payload format not accepted")
        outbox.acknowledge(third)
        gaps = [letter for letter in await take_letters(outbox) if letter["type"] == "gap"]
        assert [(gap["from_seq"], gap["to_seq"], gap["count"], gap["reason"]) for gap in gaps] == [(2, 2, 1, "refused")]
        counts = boards[-1].buffer
        assert (counts.recorded, counts.acknowledged, counts.dropped, counts.messages) == (3, 2, 1, 0)
    async with opened() as outbox:
        assert await take_all(outbox) == []


async def test_d5_over_the_limit_the_oldest_goes_and_every_loss_is_named(
    opened: Opener, clock: FakeClock, boards: list[Board]
) -> None:
    async with opened(limit_bytes=400_000) as outbox:
        for _ in range(10):
            for _ in range(100):
                seq = outbox.next_seq()
                filler = secrets.token_hex(500).encode()
                payload = b'{"f":"' + filler + b'","meta":{"seq":%d}}' % seq
                outbox.put(Message("t/data", payload), seq=seq, stamp_ms=clock.wall_ms())
                clock.advance(0.01)
            await outbox.commit()
        counts = boards[-1].buffer
        gaps = await take_letters(outbox)
        kept = [entry.seq for entry in await take_all(outbox)]
        lost = [seq for gap in gaps for seq in range(int(str(gap["from_seq"])), int(str(gap["to_seq"])) + 1)]
        assert kept == list(range(1001 - len(kept), 1001))
        assert lost + kept == list(range(1, 1001))
        assert {gap["reason"] for gap in gaps} == {"limit"}
        assert (counts.recorded, counts.messages, counts.dropped) == (1000, len(kept), len(lost))
        assert sum(int(str(gap["count"])) for gap in gaps) == len(lost) > 300


async def test_a_smaller_limit_at_a_restart_drops_nothing(opened: Opener, clock: FakeClock) -> None:
    async with opened() as outbox:
        for _ in range(2000):
            record(outbox, clock, size=500)
    async with opened(limit_bytes=100_000) as outbox:
        await outbox.commit()
        assert len(await take_all(outbox)) == 2000


async def test_an_unclean_stop_is_told_after_the_next_start(opened: Opener, clock: FakeClock, tmp_path: Path) -> None:
    async with opened() as outbox:
        epoch = outbox.epoch
        record(outbox, clock)
        record(outbox, clock)
        await outbox.commit()
        shutil.copytree(tmp_path / "outbox", tmp_path / "picture")
    shutil.rmtree(tmp_path / "outbox")
    (tmp_path / "picture").rename(tmp_path / "outbox")
    async with opened() as outbox:
        outbox.announce_start()
        assert await take_letters(outbox) == [{"type": "restart", "previous_epoch": epoch, "last_recorded_seq": 2}]
    async with opened() as outbox:
        outbox.announce_start()
        assert await take_letters(outbox) == []


async def test_stamps_and_sizes_of_what_waits_are_on_the_board(
    opened: Opener, clock: FakeClock, boards: list[Board]
) -> None:
    async with opened() as outbox:
        first_ms = clock.wall_ms()
        sizes = [len(record(outbox, clock))]
        clock.advance(5)
        sizes.append(len(record(outbox, clock)))
        counts = boards[-1].buffer
        assert (counts.messages, counts.bytes, counts.oldest_ms) == (2, sum(sizes), first_ms)
        entry = outbox.take()
        assert entry is not None
        outbox.acknowledge(entry)
        assert (counts.messages, counts.bytes, counts.oldest_ms) == (1, sizes[1], clock.wall_ms())
        assert json.loads(entry.payload)["meta"]["seq"] == 1
