"""What history, API and page add to a collector: with a page open, with none, and without all of it, side by side."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import httpx

from tests.benchmarks.api import until_served
from tests.benchmarks.figures import Figure, Target
from tests.benchmarks.processes import cpu_s, first_line, rss_mb, running
from tests.benchmarks.site import Site, collector, sleep_until_fraction
from tests.benchmarks.tags import TAGS, tag
from tests.doubles.mosquitto import free_port

_OFF = {"HISTORY_MAX_MB": 0, "HTTP_PORT": 0}
_START_WITHIN_S = 30.0
_WARM_UP_S = 5.0


def measure(at: Site, seconds: int, windows: int) -> list[Figure]:
    """So many windows of so many seconds, in which each of three polled 1,000 tags a second; a page stood open at one.

    Of 60 s, so that each has one writing of the history in it.
    """
    http_port = free_port()
    plcs = [sys.executable, "-m", "tests.benchmarks.devices", "moving", "3", str(TAGS)]
    with running(plcs) as simulators, ExitStack() as stack:
        ports = map(int, first_line(simulators).split())
        settings: tuple[Mapping[str, object], ...] = ({"HTTP_PORT": http_port}, {}, _OFF)
        three = [
            stack.enter_context(collector(at, _device(port), settings=own))
            for port, own in zip(ports, settings, strict=True)
        ]
        for edge_id, process in three:
            process.start()
            at.subscriber.until(edge_id, 1, _START_WITHIN_S)
        stack.enter_context(_page(f"http://127.0.0.1:{http_port}"))
        time.sleep(_WARM_UP_S)
        cpu_us = _watch(at, [(edge_id, process.pid) for edge_id, process in three], seconds, windows)
        memory_mb = [rss_mb(process.pid) for _, process in three]
    return _figures(cpu_us, memory_mb)


def _watch(at: Site, collectors: list[tuple[str, int]], seconds: int, windows: int) -> list[tuple[float, ...]]:
    """Microseconds of processor time a value that was published, of each, one a window."""
    sleep_until_fraction(0.5)
    moments: list[list[tuple[float, int]]] = []
    for number in range(windows + 1):
        if number:
            time.sleep(seconds)
        moments.append([(cpu_s(pid), len(at.subscriber.of(edge_id))) for edge_id, pid in collectors])
    return [
        tuple(1e6 * (after - before) / (TAGS * max(1, more - had)) for (before, had), (after, more) in pairwise(own))
        for own in zip(*moments, strict=True)
    ]


@contextmanager
def _page(url: str) -> Iterator[None]:
    """A page that stands open at its overview."""
    with httpx.Client(base_url=url, trust_env=False, timeout=_START_WITHIN_S) as http:
        until_served(http)
        with http.stream("GET", "/api/v1/stream", params={"values": "false"}) as answer:
            reading = threading.Thread(target=_read, args=(answer,), daemon=True)
            reading.start()
            yield


def _read(answer: httpx.Response) -> None:
    try:
        for _ in answer.iter_raw():
            pass
    except (httpx.HTTPError, httpx.StreamError):
        return


def _device(port: int) -> dict[str, object]:
    return {
        "id": "1",
        "name": "프레스_PLC_1",
        "protocol": "modbus_tcp",
        "connection": {"host": "127.0.0.1", "port": port, "unit_id": 1},
        "interval_ms": 1000,
        "tags": [tag(word, 40001 + word, "UINT16", 0.1) for word in range(TAGS)],
    }


def _figures(cpu_us: Sequence[Sequence[float]], memory_mb: Sequence[float]) -> list[Figure]:
    def figure(name: str, unit: str, values: Sequence[float], target: Target | None = None) -> Figure:
        return Figure("history, API and page: 1,000 tags, every second", name, unit, tuple(values), target)

    def more(values: Sequence[float]) -> list[float]:
        return [value - bare for value, bare in zip(values, without, strict=True)]

    looked_at, idle, without = cpu_us
    open_mb, idle_mb, bare_mb = memory_mb
    return [
        figure("CPU per published value, without", "µs", without),
        figure("CPU added per value", "µs", more(idle), Target("≤", 1)),
        figure("CPU added per value, a page open", "µs", more(looked_at)),
        figure("memory (RSS), without", "MB", [bare_mb]),
        figure("memory added", "MB", [idle_mb - bare_mb], Target("≤", 40)),
        figure("memory (RSS), a page open", "MB", [open_mb], Target("≤", 120)),
    ]
