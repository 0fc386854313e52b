"""From a scan to the broker, and the last words at the end."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from collector.app.sinks import put_everywhere
from collector.app.site import Collector, Site
from collector.clock import iso_utc
from collector.delivery.changes import Changes
from collector.delivery.encode import ScanEncoder
from collector.delivery.publisher import Publisher
from collector.polling.scan import Scan
from fleet_client.status import shutdown_status

DRAIN_S = 4.0
SINK_DRAIN_S = 1.0


@asynccontextmanager
async def publishing(publisher: Publisher, site: Site, collector: Collector) -> AsyncIterator[None]:
    """Publish as long as the context is open; at its end what can be delivered in a few seconds, and `offline`."""

    def farewell() -> bytes:
        return shutdown_status(site.settings.company_code, iso_utc(site.clock.wall_ms()))

    async with asyncio.TaskGroup() as sinks:
        running = sinks.create_task(publisher.run(), name="publisher")
        try:
            yield
        finally:
            further = (sink.courier.drain(SINK_DRAIN_S) for sink in collector.sinks)
            await asyncio.gather(publisher.drain(DRAIN_S, farewell), *further)
            running.cancel()


def delivery(site: Site, collector: Collector, largest_body: Callable[[str], int]) -> Callable[[Scan], None]:
    """What becomes of each scan: a message in every outbox where it is to be published, and a look for the rest."""
    settings, outbox, put = site.settings, collector.outbox, put_everywhere(collector)
    changes = Changes(site.clock, send_empty=settings.data_on_error == "empty")
    encoder = ScanEncoder(
        topic=lambda: site.address.topics.data,
        epoch=outbox.epoch,
        next_seq=outbox.next_seq,
        meta=settings.payload_meta == "body",
        send_empty=settings.data_on_error == "empty",
        clock_in_doubt=collector.clock_watch.in_doubt,
        max_bytes=largest_body,
    )

    def deliver(scan: Scan) -> None:
        published = changes.of(scan)
        for seq, message in encoder.messages(published) if published else ():
            put(message, seq=seq, stamp_ms=scan.stamp_ms)
        for look in collector.on_scan:
            look(scan)

    return deliver
