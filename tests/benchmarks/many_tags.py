"""100,000 tags in one collector: how soon all devices are heard of, and how late its event loop wakes up."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from tests.benchmarks.course import LAST_MESSAGES_S, Course, course, percentiles
from tests.benchmarks.figures import Figure, Target, quantile
from tests.benchmarks.plc import plcs
from tests.benchmarks.processes import cpu_s, peak_rss_mb
from tests.benchmarks.site import Site, collector
from tests.benchmarks.subscriber import Received
from tests.benchmarks.tags import TAGS, Variant, uint16
from tests.benchmarks.watched import FILE

DEVICES = 100
LONG_NAMES = "1"
"""The id of the device whose tags have names so long that its messages must be split."""
_DEVICE = uint16()
_START_WITHIN_S = 60.0
_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Load:
    """What the collector did with them, and how late its loop woke up: after all had been heard of, and from the
    first moment to the last."""

    start_s: float
    rss_mb: float
    late_s: tuple[float, ...]
    late_all_s: tuple[float, ...]
    messages: tuple[Received, ...]
    course: Course

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
    """All at once, polled every second, for twenty seconds."""
    load = watch(at, DEVICES, _SECONDS)
    ours, (parts, _) = load.course, load.tags_of(LONG_NAMES)

    def figure(name: str, unit: str, value: float, target: Target | None = None) -> Figure:
        return Figure(f"{DEVICES * TAGS:,} tags, every second", name, unit, (value,), target)

    return [
        figure("start: command → all heard of", "s", load.start_s, Target("≤", 30)),
        figure("memory at its peak (RSS)", "MB", load.rss_mb, Target("≤", 300)),
        figure("event loop late, p99", "ms", 1000 * quantile(load.late_s, 0.99), Target("≤", 50)),
        figure("event loop late, p99, start included", "ms", 1000 * quantile(load.late_all_s, 0.99), Target("≤", 100)),
        figure("event loop late, longest: while planning", "ms", 1000 * max(load.late_all_s)),
        figure("cycles missed", "", sum(sample.missed for sample in ours.samples), Target("=", 0)),
        figure("delivered", "%", ours.delivered_percent, Target("=", 100)),
        figure("jitter between polls, p99", "ms", percentiles(ours.off_beat_ms, 0.99)[1]),
        figure("CPU of one core", "%", ours.cpu_percent),
        figure("largest message", "KiB", load.largest / 1024, Target("≤", 128)),
        figure("messages of a poll with long names", "", parts, Target("=", 2)),
    ]


def watch(at: Site, devices: int, seconds: float) -> Load:
    """Start a collector on so many, and let it run so long after all were heard of."""
    with plcs(at.folder, _DEVICE.memory, devices) as polled:
        entries = [_entry(str(number), port) for number, port in enumerate(polled.ports, 1)]
        with collector(at, *entries, module="tests.benchmarks.watched") as (edge_id, process):
            begun_s = time.monotonic()
            process.start()
            _until_all_are_heard_of(at, edge_id, devices)
            start_s = time.monotonic() - begun_s
            moments, spent = [time.time_ns()], [cpu_s(process.pid)]
            time.sleep(seconds)
            moments.append(time.time_ns())
            spent.append(cpu_s(process.pid))
            rss_mb = peak_rss_mb(process.pid)
            time.sleep(LAST_MESSAGES_S)
            messages = at.subscriber.of(edge_id)
            asyncio.run(process.stop())
            late = [
                (int(felt), float(late_s))
                for felt, late_s in (
                    line.split() for line in Path(process.folder, FILE).read_text("ascii").splitlines()
                )
            ]
        did = course(polled, messages, tags=TAGS, interval_s=_DEVICE.interval_s, moments=moments, cpu_s=spent)
    at.subscriber.forget(edge_id)
    steady = tuple(late_s for felt, late_s in late if felt >= moments[0])
    return Load(start_s, rss_mb, steady, tuple(late_s for _, late_s in late), tuple(messages), did)


def _until_all_are_heard_of(at: Site, edge_id: str, devices: int) -> None:
    heard: set[str] = set()
    seen = 0
    while len(heard) < devices:
        at.subscriber.until(edge_id, seen + 1, _START_WITHIN_S)
        news = at.subscriber.of(edge_id)[seen:]
        heard.update(_devices_of(news))
        seen += len(news)


def _devices_of(messages: Sequence[Received]) -> set[str]:
    return {str(message.head[0]) for message in messages}


def _entry(device_id: str, port: int) -> dict[str, object]:
    tags = _DEVICE.tags
    if device_id == LONG_NAMES:
        tags = tuple(each | {"name": f"{'긴이름_' * 18}{number}"} for number, each in enumerate(tags))
    return Variant(_DEVICE.name, tags, _DEVICE.memory).device(device_id, "127.0.0.1", port)
