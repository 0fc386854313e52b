"""The host's figures as the HTTP sink tells them, once a heartbeat."""

from collections.abc import Mapping

import orjson

from collector.delivery.message import Message
from collector.delivery.outbox import Outbox
from collector.delivery.sinks.posting import FIGURES
from fleet_client.encoding import encoded

ENOUGH = 50_000
"""Letters that wait, from which on figures are no longer added: 17 days of heartbeats."""

_NAMES = {
    "cpu_percent": "edge_cpu_usage",
    "memory_percent": "edge_ram_usage",
    "disk_percent": "edge_disk_usage",
    "temperature_c": "edge_temperature",
}


def note_figures(outbox: Outbox, topic: str, status: bytes, heartbeats: int) -> None:
    """Record those of a status payload, the `heartbeats`th since the start; `topic` is that of the status."""
    if outbox.letters < ENOUGH:
        topic = f"{topic.rpartition('/')[0]}/{FIGURES}"
        outbox.put_letter(Message(topic, figures(orjson.loads(status), heartbeats)))


def figures(status: Mapping[str, object], heartbeats: int) -> bytes:
    """The payload: what the machine has no sensor for is left out."""
    told = {name: status[key] for key, name in _NAMES.items() if key in status}
    return encoded({"timestamp": status["timestamp"], **told, "edge_heartbeat_total": heartbeats})
