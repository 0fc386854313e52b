"""100 devices of 1,000 tags in one collector: how soon all are heard of, and what they cost."""

import asyncio
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.benchmarks.figures import Figure, Target, quantile
from tests.benchmarks.processes import cpu_s, first_line, peak_rss_mb, running
from tests.benchmarks.site import Site, collector
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import TAGS, tag
from tests.benchmarks.watched import FILE

DEVICES = 100
LONG_NAMES = "1"
"""The id of the device whose tags have names so long that its messages must be split."""
_START_WITHIN_S = 60.0
_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the collector did with them, and how late its loop woke up, from the first moment to the last.

    `polls` are those that came, whole or in part, after all devices had been heard of.
    """

    start_s: float
    rss_mb: float
    cpu_percent: float
    late_s: tuple[float, ...]
    messages: tuple[Received, ...]
    polls: int

    @property
    def largest(self) -> int:
        """Bytes of the largest message."""
        return max(len(message.payload) for message in self.messages)

    def tags_of(self, device_id: str) -> tuple[int, set[str]]:
        """In how many messages the first poll of a device came, and the names of its tags."""
        bodies = [orjson.loads(message.payload) for message in self.messages]
        ours = [body for body in bodies if str(body["connection_id"]) == device_id]
        first = [body for body in ours if body["timestamp"] == ours[0]["timestamp"]]
        return len(first), {name for body in first for name in body["tags"]}


def measure(at: Site) -> list[Figure]:
    """All at once, polled every second, for half a minute."""
    load = watch(at, DEVICES, _SECONDS)
    parts, _ = load.tags_of(LONG_NAMES)

    def figure(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return Figure(f"scale: {DEVICES} devices of {TAGS:,} tags, every second", name, unit, (value,), target)

    return [
        figure("start: command → all heard of", "s", load.start_s, Target("≤", 30)),
        figure("memory at its peak (RSS)", "MB", load.rss_mb, Target("≤", 512)),
        figure("event loop late, p99", "ms", 1000 * quantile(load.late_s, 0.99), Target("≤", 100)),
        figure("largest message", "KiB", load.largest / 1024, Target("≤", 128)),
        figure("messages of a poll with long names", "", parts, Target("=", 2)),
        figure("event loop late, longest: while planning", "ms", 1000 * max(load.late_s)),
        figure("polls delivered", "%", 100 * load.polls / (DEVICES * _SECONDS)),
        figure("CPU of one core", "%", load.cpu_percent),
    ]


def watch(at: Site, devices: int, seconds: float) -> Load:
    """Start a collector on so many, and let it run so long after all were heard of."""
    command = [sys.executable, "-m", "tests.benchmarks.devices", "modbus_tcp", str(devices), str(TAGS)]
    with running(command) as simulators:
        entries = [_device(str(number), int(port)) for number, port in enumerate(first_line(simulators).split())]
        with collector(at, *entries, module="tests.benchmarks.watched") as (edge_id, process):
            begun_s = time.monotonic()
            process.start()
            _until_all_are_heard_of(at, edge_id, devices)
            before, start_s, spent = len(at.subscriber.of(edge_id)), time.monotonic() - begun_s, cpu_s(process.pid)
            time.sleep(seconds)
            used, rss_mb = cpu_s(process.pid) - spent, peak_rss_mb(process.pid)
            messages = at.subscriber.of(edge_id)
            asyncio.run(process.stop())
            late_s = tuple(float(line) for line in Path(process.folder, FILE).read_text("ascii").split())
        return Load(start_s, rss_mb, 100 * used / seconds, late_s, tuple(messages), _polls(messages[before:]))


def _until_all_are_heard_of(at: Site, edge_id: str, devices: int) -> None:
    heard: set[str] = set()
    seen = 0
    while len(heard) < devices:
        at.subscriber.until(edge_id, seen + 1, _START_WITHIN_S)
        news = at.subscriber.of(edge_id)[seen:]
        heard.update(str(orjson.loads(message.payload)["connection_id"]) for message in news)
        seen += len(news)


def _polls(messages: Sequence[Received]) -> int:
    bodies = [orjson.loads(message.payload) for message in messages]
    return len({(str(body["connection_id"]), body["timestamp"]) for body in bodies})


def _device(device_id: str, port: int) -> dict[str, object]:
    tags = [tag(word, 40001 + word, "UINT16", 0.1) for word in range(TAGS)]
    if device_id == LONG_NAMES:
        tags = [each | {"name": f"{'긴이름_' * 18}{number}"} for number, each in enumerate(tags)]
    return {
        "id": device_id,
        "name": f"PLC_{device_id}",
        "protocol": "modbus_tcp",
        "connection": {"host": "127.0.0.1", "port": port, "unit_id": 1},
        "interval_ms": 1000,
        "tags": tags,
    }
