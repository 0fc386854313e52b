"""A document of 10,000 tags in the running loop: a change of one tag is quick, and nobody waits for it."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

from collector.config.in_force import InForce
from collector.config.planner import PlanOptions
from collector.config.sync import ConfigSync
from collector.polling.supervisor import Supervisor
from collector.status.board import Board
from fleet_client.copies import DocumentStore
from fleet_client.fetched import Fetched
from protocols import registry
from tests.benchmarks.reloading import EDGE, large_document, with_one_tag_changed
from tests.benchmarks.tags import document
from tests.doubles.clock import FakeClock
from tests.doubles.hall import Hall
from tests.unit.collector.config.test_sync import ScriptedSource, fetched


class LoopWatch:
    """How long the loop was kept from its timers."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._watch())
        await asyncio.sleep(0.05)
        self.longest_s = 0.0
        try:
            yield
        finally:
            task.cancel()

    async def _watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            self.longest_s = max(self.longest_s, time.perf_counter() - before - 0.001)


async def reload(sync: ConfigSync, source: ScriptedSource, body: bytes) -> tuple[InForce, float]:
    source.answers.append(Fetched(body, fetched(body).body_sha256, None, EDGE, "/config", None))
    before = time.perf_counter()
    in_force = await sync.reload()
    return in_force, time.perf_counter() - before


async def test_a_reload_of_10_000_tags_with_one_changed_is_quick_and_blocks_nobody(tmp_path: Path) -> None:
    clock = FakeClock()
    board = Board(clock)
    source = ScriptedSource()
    source.edge_id = EDGE
    body = large_document()
    changed = with_one_tag_changed(body)
    async with Supervisor(clock=clock, board=board, deliver=lambda _: None, driver_of=registry.driver) as supervisor:
        sync = ConfigSync(
            source, DocumentStore(tmp_path), PlanOptions(EDGE), supervisor.apply, fixed_id=True, interval_s=30,
            clock=clock, board=board,
        )  # fmt: skip
        await reload(sync, source, document(EDGE))  # what is loaded at the first use is
        watch = LoopWatch()
        async with watch.watching():
            before, _ = await reload(sync, source, body)
        assert before.plan.tag_count == 10_000
        took, blocked = [], [watch.longest_s]
        for each in (changed, body, changed):
            async with watch.watching():
                after, took_s = await reload(sync, source, each)
            took.append(took_s)
            blocked.append(watch.longest_s)
            same = [old is new for old, new in zip(before.plan.devices, after.plan.devices, strict=True)]
            assert same.count(False) == 1
            before = after
        print("reload", [f"{s * 1000:.0f} ms" for s in took], "blocked", [f"{s * 1000:.1f} ms" for s in blocked])
        # What a quiet machine has to keep to is 300 ms and 20 ms; a shared one may be ten times as slow.
        assert min(took) < 3
        assert min(blocked) < 0.5


async def test_no_poll_elsewhere_is_missed_when_one_tag_of_10_000_changes(tmp_path: Path) -> None:
    async with Hall(tmp_path, CONFIG_SYNC_INTERVAL_SEC=3600, DEVICE_ID=EDGE) as hall:
        plc = await hall.plc()
        sent = json.loads(large_document())
        watched = {"id": "watched", "protocol": "modbus_tcp", "interval_ms": 100,
                   "connection": {"host": plc.host, "port": plc.port},
                   "tags": [{"name": "r0", "address": "40001", "data_type": "UINT16"}]}  # fmt: skip
        sent["devices"] = [watched, *({**each, "interval_ms": 60_000} for each in sent["devices"])]
        hall.fleet.documents.put(sent, EDGE)
        hall.collector.start()
        await hall.until(lambda: len(plc.record.reads) > 10, what="data")
        await asyncio.sleep(1)
        before = len(plc.record.reads)
        sent["devices"][3]["tags"][500]["scale"] = 7
        hall.fleet.documents.put(sent, EDGE)
        answer = await hall.fleet.command(EDGE, "reload_config")
        assert answer["status"] == "success", answer
        await hall.until(lambda: len(plc.record.reads) > before + 20, what="polls after the reload")
        gaps = [later - sooner for sooner, later in pairwise(plc.record.arrivals()[before - 5 :])]
        print(f"longest gap {max(gaps) * 1000:.0f} ms, reload {answer['duration_ms']} ms")
        assert max(gaps) < 0.19
        assert plc.record.connections == 1
