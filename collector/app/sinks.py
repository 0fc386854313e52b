"""The ways out beside the broker: none of their code is loaded where none is set."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from collector.app.site import Collector, Site
from collector.delivery.message import Message
from collector.settings import ServerUrl, Settings
from collector.storage.folder import outbox_folder
from fleet_client.payloads import mark_buffered

if TYPE_CHECKING:
    from collector.delivery.sinks.destination import Destination
    from collector.delivery.sinks.http import Http
    from collector.delivery.sinks.kafka import Kafka

KAFKA, HTTP = "kafka", "http"
_SHARE_OF_DISK = 8

Publish = Callable[[bytes], None]


class Put(Protocol):
    """As `Outbox.put`."""

    def __call__(self, message: Message, *, seq: int, stamp_ms: int) -> None: ...


@asynccontextmanager
async def sinks(site: Site, collector: Collector) -> AsyncIterator[None]:
    """Deliver to Kafka and over HTTP as the settings say, as long as the context is open."""
    wanted = _destinations(site.settings)
    if not wanted:
        yield
        return
    from collector.delivery.sinks.sink import SinkOptions, open_sink

    settings = site.settings
    async with AsyncExitStack() as stack:
        for name, (where, make) in wanted.items():
            folder = outbox_folder(settings.data_dir, name)
            options = SinkOptions(
                data_dir=settings.data_dir,
                commit_ms=settings.buffer_commit_ms,
                most_bytes=await asyncio.to_thread(_most_bytes, folder, settings.buffer_max_mb << 20),
                longest_wait_s=settings.mqtt_reconnect_max_sec,
                epoch=collector.outbox.epoch,
                ready=collector.ready,
                mark_buffered=mark_buffered,
                clock=site.clock,
                board=site.board,
            )
            event_letter = partial(site.sink_event, name)
            sink = await stack.enter_async_context(open_sink(name, where, make(), event_letter, options))
            collector.sinks += (sink,)
            site.further.append(sink.outbox)
        yield


def put_everywhere(collector: Collector) -> Put:
    """Records a data message in every outbox; without further sinks it is the broker's own `put`, at no cost."""
    puts: list[Put] = [collector.outbox.put, *(sink.outbox.put for sink in collector.sinks)]
    if len(puts) == 1:
        return puts[0]

    def put(message: Message, *, seq: int, stamp_ms: int) -> None:
        for record in puts:
            record(message, seq=seq, stamp_ms=stamp_ms)

    return put


def with_figures(site: Site, collector: Collector, publish: Publish, heartbeats: Callable[[], int]) -> Publish:
    """As `publish`; where there is an HTTP sink, it gets the host's figures out of each status."""
    outbox = next((sink.outbox for sink in collector.sinks if sink.name == HTTP), None)
    if outbox is None:
        return publish
    from collector.delivery.sinks.figures import note_figures

    def publish_and_note(status: bytes) -> None:
        publish(status)
        note_figures(outbox, site.address.topics.status, status, heartbeats())

    return publish_and_note


def _destinations(settings: Settings) -> "dict[str, tuple[str, Callable[[], Destination]]]":
    """By name: where it is, for people, and how it is made, which loads its library."""
    wanted: dict[str, tuple[str, Callable[[], Destination]]] = {}
    if settings.kafka_brokers:
        brokers = [str(each) for each in settings.kafka_brokers]
        wanted[KAFKA] = ", ".join(brokers), partial(kafka_sink, brokers, settings.client_id())
    if settings.uplink_url is not None:
        wanted[HTTP] = settings.uplink_url.base, partial(http_sink, settings.uplink_url)
    return wanted


def kafka_sink(brokers: list[str], client_id: str) -> "Kafka":
    """The Kafka cluster, not opened yet."""
    from collector.delivery.sinks.kafka import Kafka

    return Kafka(brokers, client_id)


def http_sink(url: ServerUrl) -> "Http":
    """The HTTP server, not opened yet."""
    from collector.delivery.sinks.http import Http

    password = url.password.get_secret_value() if url.password else None
    return Http(url.base, username=url.username, password=password)


def _most_bytes(folder: Path, limit_bytes: int) -> int:
    """Half of the disk is the broker's: each of the others may have an eighth, so that none fills up another."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    try:
        used = sum(file.stat().st_size for file in folder.glob("outbox.db*"))
        return min(limit_bytes, (shutil.disk_usage(place).free + used) // _SHARE_OF_DISK)
    except OSError:
        return limit_bytes  # the outbox itself will say what is wrong there
