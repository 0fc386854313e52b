"""Many edges on one broker, through a power cut of the broker.

    python -m tests.benchmarks.edges --edges 200 --away 120

Each edge is the real collector in a process of its own. The broker is killed, stays away, and comes back to all of
them at once: how fast they connect, how soon everything has arrived, and what it costs the broker.
"""

import argparse
import json
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from simulators.ledger import Ledger
from tests.benchmarks.machine import describe
from tests.benchmarks.processes import ROOT, cpu_s, first_line, rss_mb, running
from tests.benchmarks.tags import tag
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.mosquitto import Mosquitto

_EDGE = "edge-scale-"
_TAGS = 30
_STARTING_AT_ONCE = 8
_SETTLE_S = 10.0
_PATIENCE_S = 900.0
_FEW_WORDS = ("log_type notice", "connection_messages true")
_CONNECTED = re.compile(rf"^(\d+): New client connected from .* as .*{_EDGE}", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was seen. Seconds count from the broker's return; processor time is in percent of one core."""

    edges: int
    away_s: float
    edge_rss_mb: float
    edge_cpu: float
    broker_cpu: float
    connects_a_second_at_most: int
    all_connected_after_s: float
    all_arrived_after_s: float
    messages_since_the_kill: int
    messages_a_second_at_most: int
    broker_cpu_until_all_arrived: float
    broker_rss_mb: float
    came_twice: int
    named_as_lost: int
    missing: int


class Crowd:
    """Whoever listens to all edges; the first at the broker when it is back, so that it misses nothing."""

    def __init__(self, port: int) -> None:
        self.ledger = Ledger()
        self.seconds: Counter[int] = Counter()
        self._port = port
        self._lock = threading.Lock()
        self._subscribed = threading.Event()
        self._client = self._new_client()

    def __enter__(self) -> Self:
        self.arrive()
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def arrive(self) -> None:
        """Be subscribed. Raises `TimeoutError`."""
        self._subscribed.clear()
        self._client = self._new_client()
        deadline = time.monotonic() + 10
        while True:
            try:
                self._client.connect("127.0.0.1", self._port)
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise TimeoutError("the broker does not come back") from None
                time.sleep(0.001)
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError("the broker took no subscription")

    def leave(self) -> None:
        """Be gone."""
        self._client.disconnect()
        self._client.loop_stop()

    def edges(self) -> int:
        """How many edges something came from."""
        with self._lock:
            return len(self.ledger.accounts)

    def has_all_made_before(self, wall_ms: int) -> bool:
        """Whether each edge has delivered, without a hole, up to something younger than that moment."""
        with self._lock:
            return all(
                (account.last_ms or 0) > wall_ms and not account.unexplained()
                for account in self.ledger.accounts.values()
            )

    def _new_client(self) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, client_id="crowd")
        client.on_message = self._hear
        client.on_connect = lambda mqtt, *_: mqtt.subscribe([(topic, 1) for topic in Ledger.topics])
        client.on_subscribe = lambda *_: self._subscribed.set()
        return client

    def _hear(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        at = time.time()
        with self._lock:
            self.ledger.feed(message.topic, bytes(message.payload), round(at * 1000))
            self.seconds[int(at)] += 1


@dataclass(frozen=True, slots=True)
class Hall:
    """Edges, started, and the broker that they share."""

    broker: Mosquitto
    crowd: Crowd
    edges: Sequence[CollectorProcess]

    def cpu_s(self) -> tuple[float, float]:
        """Processor time so far: of the broker, and of all edges together."""
        return cpu_s(self.broker.pid), sum(cpu_s(edge.pid) for edge in self.edges)


@contextmanager
def hall(count: int, folder: Path) -> Iterator[Hall]:
    """So many edges, each with a device of 30 tags a second, from all of which something came."""
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(lines=_FEW_WORDS, verbose=False))
        crowd = stack.enter_context(Crowd(broker.port))
        simulator = [sys.executable, "-m", "tests.benchmarks.devices", "modbus_tcp", "1", str(_TAGS)]
        plc = stack.enter_context(running(simulator))
        document = folder / "document.json"
        document.write_text(json.dumps(_document(int(first_line(plc)))), encoding="utf-8")
        edges = []
        for number in range(count):
            edges.append(CollectorProcess(folder / f"edge-{number}", _variables(number, broker.url, document)))
            stack.push(edges[-1].__exit__)
            edges[-1].start()
            until(partial(_has_heard, crowd, number - _STARTING_AT_ONCE), "the edges do not start")
            _tell(f"edge {number + 1} of {count}")
        until(partial(_has_heard, crowd, count), "not every edge was heard of")
        yield Hall(broker, crowd, edges)


def storm(count: int, away_s: float, folder: Path) -> Figures:
    """Take the broker from that many edges for so long, and watch its return. Raises `TimeoutError`."""
    with hall(count, folder) as site:
        broker_cpu, edges_cpu = _usual_load(site)
        received, said = site.crowd.ledger.received, len(site.broker.log)
        _tell(f"the broker is killed, for {away_s:g} s")
        site.broker.kill()
        site.crowd.leave()
        time.sleep(away_s)
        site.broker.start()
        site.crowd.arrive()
        back = time.time()
        until(lambda: len(_connects(site.broker.log[said:])) >= count, "not every edge connects")
        _tell("all are connected")
        until(lambda: site.crowd.has_all_made_before(round(back * 1000)), "not everything arrives")
        arrived = time.time()
        connects = _connects(site.broker.log[said:])
        ledger = site.crowd.ledger
        return Figures(
            edges=count,
            away_s=away_s,
            edge_rss_mb=sum(rss_mb(edge.pid) for edge in site.edges) / count,
            edge_cpu=edges_cpu / count,
            broker_cpu=broker_cpu,
            connects_a_second_at_most=max(Counter(connects).values()),
            all_connected_after_s=max(connects) + 1 - back,
            all_arrived_after_s=arrived - back,
            messages_since_the_kill=ledger.received - received,
            messages_a_second_at_most=max(came for second, came in site.crowd.seconds.items() if second >= int(back)),
            broker_cpu_until_all_arrived=100 * cpu_s(site.broker.pid) / (arrived - back),
            broker_rss_mb=rss_mb(site.broker.pid),
            came_twice=ledger.duplicates,
            named_as_lost=sum(len(account.gaps) for account in ledger.accounts.values()),
            missing=ledger.missing,
        )


def main() -> int:
    """Measure, print, and write the same as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.edges", description=__doc__)
    parser.add_argument("--edges", type=int, default=200, help="how many; each takes some 60 MB and 0.5 s to start")
    parser.add_argument("--away", type=float, default=120.0, metavar="SECONDS", help="how long the broker is away")
    parser.add_argument("--json", type=Path, default=ROOT / "build" / "edges.json", metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="edges-") as folder:
        figures = asdict(storm(options.edges, options.away, Path(folder)))
    machine = describe(ROOT)
    for name, value in {**machine, **figures}.items():
        print(f"{name.replace('_', ' '):32} {value if isinstance(value, str) else f'{value:,.4g}'}")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine, **figures}, indent=2) + "\n", encoding="utf-8")
    return 0 if figures["missing"] == 0 else 1


def until(condition: Callable[[], bool], trouble: str) -> None:
    """Wait for it. Raises `TimeoutError` with the trouble in words."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{trouble} within {_PATIENCE_S:g} s")
        time.sleep(0.05)


def _has_heard(crowd: Crowd, edges: int) -> bool:
    return crowd.edges() >= edges


def _usual_load(site: Hall) -> tuple[float, float]:
    time.sleep(_SETTLE_S)
    before, begun = site.cpu_s(), time.monotonic()
    time.sleep(_SETTLE_S)
    seconds = time.monotonic() - begun
    broker, edges = (100 * (now - then) / seconds for now, then in zip(site.cpu_s(), before, strict=True))
    return broker, edges


def _connects(log: str) -> list[int]:
    return [int(found[1]) for found in _CONNECTED.finditer(log)]


def _variables(number: int, broker_url: str, document: Path) -> dict[str, object]:
    return {
        "EDGE_CONFIG_SOURCE": "file",
        "EDGE_CONFIG_FILE": document,
        "MQTT_BROKER_URL": broker_url,
        "DEVICE_ID": f"{_EDGE}{number}",
        "HISTORY_MAX_MB": 0,
    }


def _document(port: int) -> dict[str, object]:
    return {
        "devices": [
            {
                "id": "1",
                "name": "프레스_1",
                "protocol": "modbus_tcp",
                "connection": {"host": "127.0.0.1", "port": port, "unit_id": 1},
                "interval_ms": 1000,
                "tags": [tag(word, 40001 + word, "UINT16", 0.1) for word in range(_TAGS)],
            }
        ]
    }


def _tell(words: str) -> None:
    print(f"\r{words:60}", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
