"""Another gateway on the same workload, the same PLCs and the same broker: what `docs/comparison.md` was measured with.

Usage: python -m tests.benchmarks.beside WORKLOAD GATEWAY [PROGRAM]

WORKLOAD is W1, W2, W3 or W4; GATEWAY is ``ours``, ``thingsboard`` or ``node-red``. PROGRAM is that gateway's own: the
``python`` of an environment with `thingsboard-gateway`, or ``node-red`` with `node-red-contrib-modbus` beside it. They
are no part of the project, and nothing is downloaded here. Every gateway publishes JSON values by name with QoS 1.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.benchmarks.figures import quantile
from tests.benchmarks.other_gateways import answer_as_server, node_red, thingsboard
from tests.benchmarks.plc import Plcs, plcs
from tests.benchmarks.polling import Load
from tests.benchmarks.processes import ROOT, cpu_s, foreign, peak_rss_mb
from tests.benchmarks.site import Site, collector, site
from tests.benchmarks.workloads import WORKLOADS

_WARM_UP_S = 15.0
_WINDOWS, _WINDOW_S = 3, 10.0
_STARTED = {"thingsboard": thingsboard, "node-red": node_red}


class Counter:
    """How many named values came, whoever published them, and when."""

    def __init__(self, port: int) -> None:
        self.values = 0
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._hear
        self._client.on_connect = lambda client, *_: client.subscribe("#", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def close(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, client: Client, _data: object, message: MQTTMessage) -> None:
        answer_as_server(client, message.topic)
        if message.topic.endswith(("/data", "v1/gateway/telemetry")):
            self.values += sum(map(len, _named(orjson.loads(message.payload))))


@dataclass(frozen=True, slots=True)
class Result:
    """Three windows of it."""

    cpu_us: list[float]
    delivered_percent: float
    rss_mb: float
    off_beat_ms: list[float]

    def __str__(self) -> str:
        jitter = " / ".join(f"{quantile(self.off_beat_ms, share):.2f}" for share in (0.5, 0.99))
        return (
            f"CPU per delivered value {min(self.cpu_us):.2f} to {max(self.cpu_us):.2f} µs, "
            f"delivered {self.delivered_percent:.1f} %, peak RSS {self.rss_mb:.0f} MB, "
            f"jitter median / p99 {jitter} ms"
        )


def main() -> None:
    """Print one line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.beside")
    parser.add_argument("workload", choices=("W1", "W2", "W3", "W4"))
    parser.add_argument("gateway", choices=("ours", *_STARTED))
    parser.add_argument("program", nargs="?")
    options = parser.parse_args()
    (load,) = (each.load for each in WORKLOADS if each.name.startswith(f"{options.workload}:"))
    (ROOT / "build").mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="beside-", dir=ROOT / "build") as name,
        site(Path(name)) as at,
        plcs(at.folder, load.device.memory, load.devices) as polled,
        closing(Counter(at.broker_port)) as counter,
        _started(options.gateway, options.program, at, load, polled) as pid,
    ):
        print(f"{options.workload} {options.gateway}: {_measure(load, polled, pid, counter)}")


def _measure(load: Load, polled: Plcs, pid: int, counter: Counter) -> Result:
    time.sleep(_WARM_UP_S)
    marks = [_mark(counter, pid)]
    for _ in range(_WINDOWS):
        time.sleep(_WINDOW_S)
        marks.append(_mark(counter, pid))
    cpu_us = [(late[1] - soon[1]) * 1e6 / max(late[2] - soon[2], 1) for soon, late in pairwise(marks)]
    first, last = marks[0], marks[-1]
    wanted = (last[0] - first[0]) / 1e9 / load.device.interval_s * load.devices * load.device.registers
    off_beat = [
        abs((later.asked_ns - sooner.asked_ns) / 1e6 - load.device.interval_ms)
        for polls in polled.polls(load.device.interval_s / 2)
        for sooner, later in pairwise(polls)
        if first[0] <= sooner.asked_ns and later.asked_ns <= last[0]
    ]
    return Result(cpu_us, 100 * (last[2] - first[2]) / wanted, peak_rss_mb(pid), off_beat or [0.0])


def _mark(counter: Counter, pid: int) -> tuple[int, float, int]:
    return time.time_ns(), cpu_s(pid), counter.values


@contextmanager
def _started(gateway: str, program: str | None, at: Site, load: Load, polled: Plcs) -> Iterator[int]:
    if gateway == "ours":
        entries = [load.device.device(str(number), "127.0.0.1", port) for number, port in enumerate(polled.ports, 1)]
        with collector(at, *entries) as (_, process):
            process.start()
            yield process.pid
        return
    if program is None:
        sys.exit(f"{gateway} needs its PROGRAM")
    configured: Callable[[Path, str, int, Load, Sequence[int]], tuple[list[str], dict[str, str]]] = _STARTED[gateway]
    command, environment = configured(at.folder, program, at.broker_port, load, polled.ports)
    with foreign(command, environment, at.folder) as process:
        yield process.pid
        if process.poll() is not None:
            sys.exit(
                f"{gateway} ended with status {process.returncode}: {(at.folder / 'said.txt').read_text()[-2000:]}"
            )


def _named(body: Any) -> Iterator[dict[str, Any]]:
    """The objects of values in a message: ours, ThingsBoard's lists by device, or the message itself."""
    if "tags" in body:
        yield body["tags"]
    elif any(isinstance(entry, list) for entry in body.values()):
        for entries in body.values():
            yield from (entry.get("values", {}) for entry in entries if isinstance(entry, dict))
    else:
        yield body


if __name__ == "__main__":
    main()
