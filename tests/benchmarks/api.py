"""The API over real HTTP, of a collector that polls 1,000 tags a second and has a week of them on disk."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial

import httpx

from tests.benchmarks import week
from tests.benchmarks.figures import Figure, Target, quantile
from tests.benchmarks.processes import first_line, running
from tests.benchmarks.site import Site, collector
from tests.benchmarks.tags import tag
from tests.doubles.mosquitto import free_port

_P95 = Target("<", 50)
_WARM_UP = 3
_START_WITHIN_S = 30.0
_TAG = {"device_id": "1", "tag": week.NAMES[0]}
_DEVICE = {"device_id": "1"}
_PLACE = {"factory": "울산", "building": "1동"}
"""A device and 100 tags: half as many as one answer may be made of."""
_WEEK = {
    "start_date": f"{date.today() - timedelta(days=6):%Y%m%d}",
    "end_date": f"{date.today():%Y%m%d}",
}
_API = "/api/v1"
_QUESTIONS: tuple[tuple[str, str, Mapping[str, object]], ...] = (
    ("page", "/", {}),
    ("health", "/health", {}),
    ("readiness", "/readiness", {}),
    ("metrics for Prometheus", "/metrics", {}),
    ("status", f"{_API}/status", {}),
    ("devices", f"{_API}/devices", {}),
    ("tags: all", f"{_API}/tags", {}),
    ("realtime: all", f"{_API}/realtime", {}),
    ("realtime: a place", f"{_API}/realtime", _PLACE),
    ("current: a device", f"{_API}/metrics/current", _DEVICE),
    ("locations", f"{_API}/locations/", {}),
    ("history: 10 minutes", f"{_API}/metrics/history", {**_TAG, "start_time": "-10m"}),
    ("history: an hour", f"{_API}/metrics/history", {**_TAG, "start_time": "-1h"}),
    ("history: a day", f"{_API}/metrics/history", {**_TAG, "start_time": "-1d"}),
    ("history: a week", f"{_API}/metrics/history", {**_TAG, "start_time": "-7d"}),
    ("history: a week, CSV", f"{_API}/metrics/history", {**_TAG, "start_time": "-7d", "format": "csv"}),
    ("summary: an hour of a tag", f"{_API}/metrics/summary", {**_TAG, "start_time": "-1h"}),
    ("summary: an hour of a device", f"{_API}/metrics/summary", {**_DEVICE, "start_time": "-1h"}),
    ("summary: a week of a tag", f"{_API}/metrics/summary", {**_TAG, "start_time": "-7d"}),
    ("summary: a week of a place", f"{_API}/metrics/summary", {**_PLACE, "start_time": "-7d"}),
    ("hours of a week: a tag", f"{_API}/aggregation/", {**_TAG, **_WEEK, "interval": "hour"}),
    ("hours of a week: a place", f"{_API}/aggregation/", {**_PLACE, **_WEEK, "interval": "hour"}),
    ("days of a week: a tag", f"{_API}/aggregation/", {**_TAG, **_WEEK}),
    ("days of a week: a place", f"{_API}/aggregation/", {**_PLACE, **_WEEK}),
    ("thresholds", f"{_API}/thresholds", {}),
    ("alarms", f"{_API}/alarms", {}),
    ("alarms of a week", f"{_API}/alarms/history", {}),
    ("buffer", f"{_API}/buffer", {}),
    ("config", f"{_API}/config", {}),
    ("events", f"{_API}/events", {}),
    ("logs", f"{_API}/logs", {}),
    ("depth of the history", f"{_API}/history", {}),
)


def measure(at: Site, minutes: int, rounds: int) -> list[Figure]:
    """Ask everything so many times, with so many minutes on disk."""
    with _served(at, minutes) as http:
        asked = {name: _times_ms(rounds, partial(_get, http, path, query)) for name, path, query in _QUESTIONS}
        asked["stream: first status"] = _times_ms(rounds, partial(_first_event, http))
    return [figure for name, times_ms in asked.items() for figure in _figures(name, times_ms)]


@contextmanager
def _served(at: Site, minutes: int) -> Iterator[httpx.Client]:
    plcs = [sys.executable, "-m", "tests.benchmarks.devices", "modbus_tcp", str(week.DEVICES), str(week.TAGS)]
    http_port = free_port()
    with running(plcs) as simulators:
        devices = [_device(number, int(port)) for number, port in enumerate(first_line(simulators).split(), start=1)]
        with collector(at, *devices, settings={"HTTP_PORT": http_port}) as (edge_id, process):
            asyncio.run(week.fill(process.folder / "data" / "history", minutes))
            process.start()
            at.subscriber.until(edge_id, week.DEVICES, _START_WITHIN_S)
            with httpx.Client(base_url=f"http://127.0.0.1:{http_port}", trust_env=False, timeout=30) as http:
                until_served(http)
                yield http


def _device(number: int, port: int) -> dict[str, object]:
    return {
        "id": str(number),
        "name": f"프레스_PLC_{number}",
        "protocol": "modbus_tcp",
        "connection": {"host": "127.0.0.1", "port": port, "unit_id": 1},
        "interval_ms": 1000,
        "location": {"factory": "울산", "building": f"{number}동"},
        "tags": [tag(word, 40001 + word, "UINT16", 0.1) for word in range(week.TAGS)],
    }


def until_served(http: httpx.Client) -> None:
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        try:
            http.get("/liveness")
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _get(http: httpx.Client, path: str, query: Mapping[str, object]) -> None:
    http.get(path, params={name: str(value) for name, value in query.items()}).raise_for_status()


def _first_event(http: httpx.Client) -> None:
    with http.stream("GET", f"{_API}/stream") as answer:
        next(line for line in answer.iter_lines() if line.startswith("data:"))


def _times_ms(rounds: int, ask: Callable[[], None]) -> list[float]:
    took_ms = []
    for number in range(_WARM_UP + rounds):
        begun = time.perf_counter()
        ask()
        if number >= _WARM_UP:
            took_ms.append(1e3 * (time.perf_counter() - begun))
    return took_ms


def _figures(name: str, times_ms: list[float]) -> list[Figure]:
    subject = "api: 1,000 tags, every second, and a week of them on disk"
    return [
        Figure(subject, name, "ms", tuple(times_ms)),
        Figure(subject, f"{name}, p95", "ms", (quantile(times_ms, 0.95),), _P95),
    ]
