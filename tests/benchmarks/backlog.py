"""The outbox: how fast it takes messages, and how fast the collector delivers what an outage left behind."""

import asyncio
import time
from pathlib import Path

from collector.clock import SystemClock, iso_utc
from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.status.board import Board
from collector.storage.outbox_store import FILE_NAME
from fleet_client.payloads import DataMeta, data_body, mark_buffered
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import MB, cpu_s, peak_rss_mb
from tests.benchmarks.site import Site, variables
from tests.benchmarks.tags import document
from tests.doubles.collector_process import CollectorProcess

_VALUES = 100
_GROUP = 100
_EDGE = "edge-bench-backlog"
_DELIVERED_WITHIN_S = 60.0


def measure(at: Site, messages: int) -> list[Figure]:
    """Fill an outbox while no broker is there, then let a real collector deliver it."""
    home = at.folder / _EDGE
    outbox = home / "data" / "outbox"
    seconds, size = asyncio.run(_fill(outbox, messages))
    on_disk = (outbox / FILE_NAME).stat().st_size / messages
    group_ms = [1e3 * took for took in seconds]
    filled = [
        Figure("outbox", f"put + commit, {_GROUP} messages", "ms", tuple(group_ms)),
        Figure("outbox", "put + commit", "messages/s", (messages / sum(seconds),)),
        Figure("outbox", "put + commit", "MB/s", (size / MB / sum(seconds),)),
        Figure("outbox", "a message on disk", "bytes", (on_disk,)),
        Figure("outbox", "1 message/s lasts, a GB", "h", (1e9 / on_disk / 3600,), Target("≥", 300)),
    ]
    return filled + _replay(at, home, messages)


async def _fill(folder: Path, messages: int) -> tuple[list[float], int]:
    clock = SystemClock()
    seconds, size = [], 0
    async with Outbox.open(
        folder,
        commit_ms=3_600_000,
        limit_bytes=1 << 30,
        clock=clock,
        board=Board(clock),
        mark_buffered=mark_buffered,
        event_letter=lambda kind, fields: None,
    ) as outbox:
        for _ in range(messages // _GROUP):
            group = [(seq, _message(outbox.epoch, seq)) for seq in (outbox.next_seq() for _ in range(_GROUP))]
            size += sum(len(message.payload) for _, message in group)
            begun = time.perf_counter()
            for seq, message in group:
                outbox.put(message, seq=seq, stamp_ms=clock.wall_ms())
            await outbox.commit()
            seconds.append(time.perf_counter() - begun)
    return seconds, size


def _message(epoch: str, seq: int) -> Message:
    tags = {f"temperature_{number:04d}": (seq * 7 + number * 13) % 10_000 / 10 for number in range(_VALUES)}
    stamp = iso_utc(1_776_412_800_000 + seq * 1000)
    return Message(f"vexplor/devices/{_EDGE}/data", data_body(stamp, None, 1, tags, DataMeta(epoch, seq)))


def _replay(at: Site, home: Path, messages: int) -> list[Figure]:
    file = at.folder / "no-devices.json"
    file.write_bytes(document(_EDGE))
    source = {"EDGE_CONFIG_SOURCE": "file", "EDGE_CONFIG_FILE": file, "EDGE_SERVER_URL": "http://127.0.0.1:1"}
    with CollectorProcess(home, variables(at, _EDGE) | source) as collector:
        at.subscriber.until(_EDGE, 1, _DELIVERED_WITHIN_S)
        before_s = cpu_s(collector.pid)
        at.subscriber.until(_EDGE, messages, _DELIVERED_WITHIN_S)
        spent_s = cpu_s(collector.pid) - before_s
        peak_mb = peak_rss_mb(collector.pid)
        asyncio.run(collector.stop())
    received = at.subscriber.of(_EDGE)
    took_s = (received[messages - 1].at_ns - received[0].at_ns) / 1e9
    distinct = len({message.identity for message in received})
    subject = f"backlog of {messages:,} messages"
    return [
        Figure(subject, "size of a message", "kB", (len(received[0].payload) / 1e3,)),
        Figure(subject, "delivered through the broker", "messages/s", (messages / took_s,), Target("≥", 3_000)),
        Figure(subject, "CPU a message", "µs", (spent_s * 1e6 / messages,)),
        Figure(subject, "memory at its peak (RSS)", "MB", (peak_mb,), Target("≤", 120)),
        Figure(subject, "delivered", "%", (100 * distinct / messages,), Target("=", 100)),
        Figure(subject, "of them twice", "messages", (len(received) - distinct,)),
    ]
