"""What history, API and page add to a collector: one with all of it beside one with nothing of it, at the same time."""

import sys
import threading
import time
from collections.abc import Iterator, Mapping
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
    """So many windows of so many seconds, in which both polled 1,000 tags a second, and a page stood open.

    Of 60 s, so that each has one writing of the history in it.
    """
    http_port = free_port()
    plcs = [sys.executable, "-m", "tests.benchmarks.devices", "moving", "2", str(TAGS)]
    with running(plcs) as simulators, ExitStack() as stack:
        ports = map(int, first_line(simulators).split())
        settings: tuple[Mapping[str, object], ...] = ({"HTTP_PORT": http_port}, _OFF)
        pair = [
            stack.enter_context(collector(at, _device(port), settings=own))
            for port, own in zip(ports, settings, strict=True)
        ]
        for edge_id, process in pair:
            process.start()
            at.subscriber.until(edge_id, 1, _START_WITHIN_S)
        stack.enter_context(_page(f"http://127.0.0.1:{http_port}"))
        time.sleep(_WARM_UP_S)
        with_all, without = _watch(at, [(edge_id, process.pid) for edge_id, process in pair], seconds, windows)
        rss = [rss_mb(process.pid) for _, process in pair]
    return _figures(with_all, without, *rss)


def _watch(at: Site, pair: list[tuple[str, int]], seconds: int, windows: int) -> list[tuple[float, ...]]:
    """Microseconds of processor time a value that was published, of each, one a window."""
    sleep_until_fraction(0.5)
    moments: list[list[tuple[float, int]]] = []
    for number in range(windows + 1):
        if number:
            time.sleep(seconds)
        moments.append([(cpu_s(pid), len(at.subscriber.of(edge_id))) for edge_id, pid in pair])
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


def _figures(with_all: tuple[float, ...], without: tuple[float, ...], rss: float, bare_rss: float) -> list[Figure]:
    def figure(name: str, unit: str, values: tuple[float, ...], target: Target | None = None) -> Figure:
        return Figure("history, API and page: 1,000 tags, every second, a page open", name, unit, values, target)

    added = tuple(with_it - bare for with_it, bare in zip(with_all, without, strict=True))
    return [
        figure("CPU per published value, without", "µs", without),
        figure("CPU per published value, with all", "µs", with_all),
        figure("CPU added per value", "µs", added, Target("≤", 1)),
        figure("memory (RSS), without", "MB", (bare_rss,)),
        figure("memory (RSS), with all", "MB", (rss,), Target("≤", 120)),
        figure("memory added", "MB", (rss - bare_rss,), Target("≤", 40)),
    ]
