"""All that a collector needs around it: a broker, a subscriber, a Fleet server, PLCs, and a folder for its files."""

import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from tests.benchmarks.plc import Plcs, plcs_of
from tests.benchmarks.processes import first_line, running
from tests.benchmarks.subscriber import Subscriber
from tests.benchmarks.tags import Variant, document
from tests.doubles.collector_process import CollectorProcess
from tests.doubles.mosquitto import Mosquitto, free_port

_SIMULATE = (sys.executable, "-m", "collector", "simulate")
_edges = count(1)


@dataclass(frozen=True, slots=True)
class Site:
    """A broker with somebody who listens, and a folder on the project's own disk."""

    folder: Path
    broker: str
    broker_port: int
    subscriber: Subscriber


@dataclass(frozen=True, slots=True)
class Installation:
    """A collector that is not yet started, and the PLCs that it will poll: devices 1, 2, 3 …"""

    edge_id: str
    collector: CollectorProcess
    plcs: Plcs


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A site with a real Mosquitto where there is one, else with the embedded broker."""
    with _broker() as (broker, port), Subscriber(port) as subscriber:
        yield Site(folder, broker, port, subscriber)


@contextmanager
def installation(
    at: Site, variant: Variant, devices: int = 1, settings: Mapping[str, object] | None = None
) -> Iterator[Installation]:
    """So many PLCs with the variant's tags, a Fleet server with their document, and a collector for them."""
    with plcs_of(at.folder, variant, devices) as polled:
        entries = [variant.device(str(number), "127.0.0.1", port) for number, port in enumerate(polled.ports, 1)]
        with collector(at, *entries, settings=settings) as (edge_id, process):
            yield Installation(edge_id, process, polled)


@contextmanager
def collector(
    at: Site, *devices: dict[str, object], module: str = "collector", settings: Mapping[str, object] | None = None
) -> Iterator[tuple[str, CollectorProcess]]:
    """A Fleet server that knows these devices, and an edge id and a collector, not yet started, to poll them.

    `settings` are those that are not as shipped.
    """
    edge_id = f"edge-bench-{next(_edges)}"
    with ExitStack() as stack:
        file = at.folder / f"{edge_id}.json"
        file.write_bytes(document(edge_id, *devices))
        fleet_url = stack.enter_context(_fleet(file))
        process = CollectorProcess(
            at.folder / edge_id, variables(at, edge_id) | {"EDGE_SERVER_URL": fleet_url} | dict(settings or {}), module
        )
        stack.push(process.__exit__)
        yield edge_id, process


def variables(at: Site, edge_id: str) -> dict[str, object]:
    """A collector's settings; all that is not here stays as it is shipped."""
    return {
        "MQTT_BROKER_URL": f"mqtt://127.0.0.1:{at.broker_port}",
        "EDGE_ID": edge_id,
        "DEVICE_ID": edge_id,
        "HTTP_PORT": free_port(),
    }


def sleep_until_fraction(moment_s: float, span_s: float = 1.0) -> None:
    """Wait for the next moment that lies in its second, or its span of the wall clock, where that one does."""
    time.sleep((moment_s - time.time()) % span_s)


@contextmanager
def _broker() -> Iterator[tuple[str, int]]:
    if shutil.which("mosquitto", path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin"):
        # Its limit on queued messages is lifted: past 1,000 it drops what a subscriber does not take fast enough.
        with Mosquitto() as broker:
            version = re.search(r"mosquitto version (\S+)", broker.log)
            yield (
                f"Mosquitto {version[1] if version else ''}, default settings but no limit on queued messages",
                broker.port,
            )
        return
    with running([*_SIMULATE, "broker", "--port", str(free_port())]) as process:
        found = re.search(r"127\.0\.0\.1:(\d+)", first_line(process))
        assert found is not None
        yield "the embedded broker (amqtt): no Mosquitto here", int(found[1])


@contextmanager
def _fleet(file: Path) -> Iterator[str]:
    with running([*_SIMULATE, "fleet", "--port", "0", "--document", file]) as process:
        found = re.search(r"http://127\.0\.0\.1:\d+", first_line(process))
        assert found is not None
        yield found[0]
