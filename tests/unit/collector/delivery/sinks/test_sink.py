"""A further way out, with a real outbox and a destination that does as it is told."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from collector.app.sinks import put_everywhere
from collector.delivery.backoff import Backoff
from collector.delivery.message import Entry, Message
from collector.delivery.sinks.courier import LETTERS_REST_S, MOST_LETTERS
from collector.delivery.sinks.destination import Away, LettersUnwanted, Settle
from collector.delivery.sinks.figures import figures, note_figures
from collector.delivery.sinks.sink import Sink, SinkOptions, open_sink
from collector.status.board import Board
from tests.doubles.clock import FakeClock
from tests.unit.collector.delivery.conftest import DATA_TOPIC, EVENTS_TOPIC, event_letter, mark_buffered

EPOCH = "mi4k2x9a"
ROOT = Path(__file__).parents[5]


class Scripted:
    """A destination: `trouble` is raised at each delivery, after `judge` has settled what it wants to."""

    def __init__(self) -> None:
        self.trouble: BaseException | None = None
        self.judge: Callable[[Entry], str | None] = lambda entry: None
        self.batches: list[list[Entry]] = []
        self.taken: list[Entry] = []
        self.attempts = 0

    async def open(self) -> None:
        self.attempts += 1

    async def deliver(self, batch: Sequence[Entry], settle: Settle) -> None:
        self.batches.append(list(batch))
        if self.trouble is not None and not isinstance(self.trouble, LettersUnwanted):
            raise self.trouble
        for entry in batch:
            if not (isinstance(self.trouble, LettersUnwanted) and not entry.is_data):
                why = self.judge(entry)
                settle(entry, why)
                if why is None:
                    self.taken.append(entry)
        if self.trouble is not None:
            raise self.trouble

    async def close(self) -> None:
        pass

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for what follows from a delivery."""
        async with asyncio.timeout(50):
            while not condition():
                await asyncio.sleep(0.002)

    @property
    def seqs(self) -> list[int | None]:
        return [entry.seq for entry in self.taken if entry.is_data]

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(entry.payload) for entry in self.taken if not entry.is_data]


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backoff, "next_s", lambda self: 0.01)


@pytest.fixture
def board(clock: FakeClock) -> Board:
    return Board(clock)


@asynccontextmanager
async def opened(
    folder: Path, clock: FakeClock, board: Board, destination: Scripted, most_bytes: int = 1 << 30
) -> AsyncIterator[Sink]:
    """A sink called `test`."""
    ready = asyncio.Event()
    ready.set()
    options = SinkOptions(
        data_dir=folder, commit_ms=50, most_bytes=most_bytes, longest_wait_s=1, epoch=EPOCH, ready=ready,
        mark_buffered=mark_buffered, clock=clock, board=board,
    )  # fmt: skip
    async with open_sink("test", "somewhere", destination, event_letter, options) as sink:
        yield sink


def record(sink: Sink, seqs: range, size: int = 0) -> None:
    """As the collector does."""
    for seq in seqs:
        filler = random.Random(seq).randbytes(size).hex()  # that does not pack well
        body = json.dumps({"seq": seq, "filler": filler, "meta": {"epoch": EPOCH}}, separators=(",", ":"))
        sink.outbox.put(Message(DATA_TOPIC, body.encode()), seq=seq, stamp_ms=seq)


async def test_what_is_recorded_is_delivered_in_order_and_counted(
    tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    destination = Scripted()
    async with opened(tmp_path, clock, board, destination) as sink:
        record(sink, range(1, 1001))
        await destination.until(lambda: len(destination.taken) == 1000)
        assert destination.seqs == list(range(1, 1001))
        counts, state = board.sinks["test"].buffer, board.sinks["test"]
        assert (counts.recorded, counts.acknowledged, counts.messages, counts.dropped) == (1000, 1000, 0, 0)
        assert (state.up, state.error, board.conditions) == (True, None, {})
        assert (board.buffer.recorded, board.buffer.acknowledged) == (0, 0)


async def test_k1_what_was_not_delivered_is_after_the_next_start(
    tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    away = Scripted()
    away.trouble = Away("closed for today")
    async with opened(tmp_path, clock, board, away) as sink:
        record(sink, range(1, 301))
        await away.until(lambda: away.attempts > 2)
        assert board.conditions["test_down"].detail == "somewhere: closed for today"
        assert not board.sinks["test"].up
    there, later = Scripted(), Board(clock)
    async with opened(tmp_path, clock, later, there):
        await there.until(lambda: len(there.seqs) == 300)
        assert there.seqs == list(range(1, 301))
        assert {entry.epoch for entry in there.taken if entry.is_data} == {EPOCH}
        assert later.conditions == {}


async def test_k3_at_its_limit_the_oldest_is_named_as_lost_to_the_sink_itself(
    tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    destination = Scripted()
    destination.trouble = Away("gone")
    async with opened(tmp_path, clock, board, destination, most_bytes=400_000) as sink:
        for first in range(1, 801, 50):
            record(sink, range(first, first + 50), size=1_000)
            await sink.outbox.commit()
        assert board.sinks["test"].buffer.dropped > 0
        destination.trouble = None
        await destination.until(lambda: sink.outbox.idle)
        gaps = [event for event in destination.events if event["type"] == "gap"]
        lost = {
            seq for gap in gaps for seq in range(int(str(gap["from_seq"])), int(str(gap["to_seq"])) + 1)
        }  # fmt: skip
        assert {str(gap["epoch"]) for gap in gaps} == {EPOCH}
        assert lost | set(destination.seqs) == set(range(1, 801))
        counts = board.sinks["test"].buffer
        assert counts.recorded == counts.acknowledged + counts.dropped == 800
        assert len(lost) == counts.dropped


async def test_k4_a_refused_message_is_named_and_the_others_pass(
    tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    destination = Scripted()
    destination.judge = lambda entry: "poison" if entry.seq == 3 else None
    async with opened(tmp_path, clock, board, destination) as sink:
        record(sink, range(1, 6))
        await destination.until(lambda: destination.events)
        assert destination.seqs == [1, 2, 4, 5]
        (gap,) = destination.events
        assert (gap["from_seq"], gap["to_seq"], gap["reason"]) == (3, 3, "refused")


@pytest.mark.parametrize("trouble", [ZeroDivisionError("in the library"), asyncio.CancelledError()])
async def test_a_library_that_fails_in_its_own_way_is_tried_again(
    trouble: BaseException, tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    destination = Scripted()
    destination.trouble = trouble
    async with opened(tmp_path, clock, board, destination) as sink:
        record(sink, range(1, 3))
        await destination.until(lambda: destination.attempts > 1)
        assert type(trouble).__name__ in board.conditions["test_down"].detail
        destination.trouble = None
        await destination.until(lambda: destination.seqs)
        assert destination.seqs == [1, 2]
        assert "test_down" not in board.conditions


async def test_k6_events_that_are_not_wanted_wait_and_hold_up_no_data(
    tmp_path: Path, clock: FakeClock, board: Board
) -> None:
    destination = Scripted()
    destination.trouble = LettersUnwanted("/events answers HTTP 404")
    async with opened(tmp_path, clock, board, destination) as sink:
        sink.outbox.put_letter(Message(EVENTS_TOPIC, b'{"type":"alarm"}'))
        record(sink, range(1, 3))
        await destination.until(lambda: "test_events_refused" in board.conditions)
        destination.trouble = None
        record(sink, range(3, 600))
        await destination.until(lambda: len(destination.seqs) == 599)
        assert destination.events == []
        clock.advance(LETTERS_REST_S)
        record(sink, range(600, 601))
        await destination.until(lambda: destination.events)
        assert destination.events == [{"type": "alarm"}]
        assert "test_events_refused" not in board.conditions


async def test_many_events_leave_room_for_data_in_a_batch(tmp_path: Path, clock: FakeClock, board: Board) -> None:
    destination = Scripted()
    async with opened(tmp_path, clock, board, destination) as sink:
        for _ in range(400):
            sink.outbox.put_letter(Message(EVENTS_TOPIC, b'{"type":"alarm"}'))
        record(sink, range(1, 11))
        await destination.until(lambda: sink.outbox.idle)
        assert sum(not entry.is_data for entry in destination.batches[0]) == MOST_LETTERS
        assert len(destination.batches[0]) > MOST_LETTERS


async def test_host_figures_are_the_heartbeats() -> None:
    status = {"timestamp": "2026-04-17T08:00:00.123Z", "cpu_percent": 1.5, "memory_percent": 2, "disk_percent": 3}
    told = {"edge_cpu_usage": 1.5, "edge_ram_usage": 2, "edge_disk_usage": 3, "edge_heartbeat_total": 7}
    assert json.loads(figures(status, 7)) == {"timestamp": status["timestamp"], **told}
    hot = json.loads(figures({**status, "temperature_c": 48.5}, 7))
    assert hot == {"timestamp": status["timestamp"], **told, "edge_temperature": 48.5}


async def test_host_figures_do_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    outbox, status = Mock(letters=0), b'{"timestamp":"t","cpu_percent":1,"memory_percent":1,"disk_percent":1}'
    note_figures(outbox, "vexplor/devices/e/status", status, 1)
    ((message,),) = (call.args for call in outbox.put_letter.call_args_list)
    assert message.topic == "vexplor/devices/e/log"
    outbox.letters = 50_000
    note_figures(outbox, "vexplor/devices/e/status", status, 2)
    assert outbox.put_letter.call_count == 1


async def test_without_further_sinks_recording_is_the_brokers_own_put() -> None:
    collector = Mock(sinks=())
    assert put_everywhere(collector) is collector.outbox.put


def test_what_is_off_is_not_loaded() -> None:
    code = (
        "import asyncio, sys; from unittest.mock import Mock; import collector.app, collector.cli.run;"
        "from collector.app.sinks import sinks\n"
        "async def main():\n"
        "    settings = Mock(kafka_brokers=(), uplink_url=None)\n"
        "    async with sinks(Mock(settings=settings), Mock()): pass\n"
        "asyncio.run(main())\n"
        "print([name for name in sys.modules if name.startswith(('aiokafka', 'collector.delivery.sinks'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
